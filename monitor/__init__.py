"""The monitor: what arrived, what is missing, and who has to know. Reads the topics and the register, nothing else."""
