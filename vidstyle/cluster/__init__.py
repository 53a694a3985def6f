"""Shots painted on the machines of a Ray cluster.

Ray decides what runs where, starts the processes, carries objects, and notices machines that are gone; here is what
a task is, what it is told, and how its answers become saved frames. Nothing outside imports Ray, and this package
does only when a render asks for a cluster.

joining        the way into a cluster, and what it has
schedule       shots as tasks, the longest first; what failed is given out again
task           runs in the cluster: paints one shot
workplace      what a process there keeps from one shot to the next
painter        runs where the command was given: takes in frames and says who is at work
frame_store    frames for machines that do not see this one's disks
shipped_files  styles, weights and keyframes for them
"""
