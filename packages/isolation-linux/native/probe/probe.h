/*
 * What the files of the probe share. The comment before main() says in which
 * order they are used.
 */
#ifndef CONFINE_PROBE_H
#define CONFINE_PROBE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define EXIT_CANNOT_PROBE 125

/* src/probe/probe-program.ts reads these names, which main.c writes. */
enum state {
	STATE_UNTRIED,
	STATE_WORKS,
	STATE_FAILED, /* a step of it, with an errno; 0: it had no effect */
	STATE_KILLED, /* value: the signal */
	STATE_LATE,
};

/*
 * One primitive, tried by doing it. Lives in memory that the children share,
 * so that even a killed one leaves its mark.
 */
struct trial {
	const char *name;
	/* CLONE_NEW*: the namespaces to try it in. */
	int namespaces;
	/* Does it, in a process of its own. Returns when it worked. */
	void (*attempt)(struct trial *trial);
	/* Instead: does it to a process of its own, which sleeps meanwhile. */
	void (*oversee)(struct trial *trial, pid_t sleeper);
	const char *operand;

	pid_t pid;
	enum state state;
	const char *step;
	int error;
	long value;
};

/* Ends the calling child: this step of the trial failed, with errno. */
_Noreturn void give_up(struct trial *trial, const char *step);
/* The same with an errno of our own: the step did not do what it promised. */
_Noreturn void give_up_for(struct trial *trial, const char *step, int error);
/* A parent that died before is never noticed; -1: it is not to be seen from here. */
void die_with_parent(pid_t parent);

/* namespaces.c */

/* Runs a trial in the namespaces that it names, or beside a sleeper. */
void try_beside(struct trial *trial);
void use_capability(struct trial *trial);
void own_mounts(struct trial *trial);
void be_first_process(struct trial *trial);
void own_hostname(struct trial *trial);
/* Nothing to do in it: that it is a new one was seen before. */
void be_there(struct trial *trial);

/* mounts.c */

void find_open_tree(struct trial *trial);
void find_mount_setattr(struct trial *trial);
void find_fsopen(struct trial *trial);
void find_move_mount(struct trial *trial);
void copy_tree(struct trial *trial);
void make_read_only(struct trial *trial);
void make_tmpfs(struct trial *trial);
void attach_tmpfs(struct trial *trial);
void pivot(struct trial *trial);

/* restrictions.c */

void forbid_new_privileges(struct trial *trial);
void restrict_files(struct trial *trial);
void filter_call(struct trial *trial);

/* notify.c */

void answer_call(struct trial *trial);
void answer_call_killably(struct trial *trial);
void continue_call(struct trial *trial);
void add_descriptor(struct trial *trial);

/* processes.c */

void close_descriptors(struct trial *trial);
void signal_by_pidfd(struct trial *trial, pid_t sleeper);
void read_memory(struct trial *trial, pid_t sleeper);
void trace(struct trial *trial, pid_t sleeper);

/* cgroups.c */

void make_cgroup(struct trial *trial);
/* Removes what a killed child may have left. */
void remove_cgroup(const struct trial *trial, pid_t child);

#endif
