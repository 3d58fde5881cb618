"""From the settings of an arm to a sealed chip and the learner that trains it."""
