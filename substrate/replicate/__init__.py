"""The paper's experiments, run again, and the page that sets the paper's figures beside ours."""
