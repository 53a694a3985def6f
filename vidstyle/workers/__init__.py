"""Shots stylized into a job folder, in this process or in several of this machine."""
