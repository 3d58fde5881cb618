"""Fitting a native crossbar's device to what a lab measured of single cells."""
