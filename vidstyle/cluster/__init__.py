"""Shots stylized on the machines of a Ray cluster.

Ray decides what runs where, starts the processes, carries objects, and notices machines that are lost. Here are the
task, what it gets, and how its answers become saved frames. Nothing outside imports Ray, and this package does only
when a render asks for a cluster.

joining            joins a cluster, and says what it has
schedule           shots as tasks, the longest first; what failed is tried again
stylizer           runs where the command was given: starts tasks and takes in their frames
task               runs in the cluster: stylizes one shot
storage            how tasks get at the job on storage that all machines share
no_shared_storage  the same for machines that do not see this one's disks
"""
