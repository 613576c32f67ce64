/*
 * confine-probe: tries what confine-launch needs of the kernel, by doing it,
 * and writes what came of it as lines of JSON.
 *
 *   confine-probe [CGROUP-DIRECTORY...]
 *
 * It decides nothing: what an outcome means is said in src/probe/.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

/* Few enough for the tightest limit of processes, enough for two processors. */
#define AT_ONCE 6
#define DEADLINE_MS 1500
#define MAX_CGROUPS 8

#define USER CLONE_NEWUSER

/* Worlds: 0 is this one; with CLONE_NEWUSER what everybody may have; without it what root may. */
static const struct trial known_trials[] = {
	{ .name = "no-new-privs", .attempt = forbid_new_privileges },
	{ .name = "landlock", .attempt = restrict_files },
	{ .name = "seccomp-filter", .attempt = filter_call },
	{ .name = "seccomp-notify", .attempt = answer_call },
	{ .name = "seccomp-continue", .attempt = continue_call },
	{ .name = "seccomp-wait-killable", .attempt = answer_call_killably },
	{ .name = "seccomp-add-descriptor", .attempt = add_descriptor },
	{ .name = "close-range", .attempt = close_descriptors },
	{ .name = "pidfd", .oversee = signal_by_pidfd },
	{ .name = "process-memory", .oversee = read_memory },
	{ .name = "process-memory", USER, .oversee = read_memory },
	{ .name = "ptrace", .oversee = trace },

	{ .name = "user-namespaces", USER, use_capability },
	{ .name = "mount-namespace", USER | CLONE_NEWNS, own_mounts },
	{ .name = "mount-namespace", CLONE_NEWNS, own_mounts },
	{ .name = "pid-namespace", USER | CLONE_NEWPID, be_first_process },
	{ .name = "pid-namespace", CLONE_NEWPID, be_first_process },
	{ .name = "network-namespace", USER | CLONE_NEWNET, be_there },
	{ .name = "network-namespace", CLONE_NEWNET, be_there },
	{ .name = "ipc-namespace", USER | CLONE_NEWIPC, be_there },
	{ .name = "ipc-namespace", CLONE_NEWIPC, be_there },
	{ .name = "uts-namespace", USER | CLONE_NEWUTS, own_hostname },
	{ .name = "uts-namespace", CLONE_NEWUTS, own_hostname },
	{ .name = "cgroup-namespace", USER | CLONE_NEWCGROUP, be_there },
	{ .name = "cgroup-namespace", CLONE_NEWCGROUP, be_there },

	{ .name = "open-tree", .attempt = find_open_tree },
	{ .name = "open-tree", USER | CLONE_NEWNS, copy_tree },
	{ .name = "open-tree", CLONE_NEWNS, copy_tree },
	{ .name = "mount-setattr", .attempt = find_mount_setattr },
	{ .name = "mount-setattr", USER | CLONE_NEWNS, make_read_only },
	{ .name = "mount-setattr", CLONE_NEWNS, make_read_only },
	{ .name = "new-tmpfs", .attempt = find_fsopen },
	{ .name = "new-tmpfs", USER | CLONE_NEWNS, make_tmpfs },
	{ .name = "new-tmpfs", CLONE_NEWNS, make_tmpfs },
	{ .name = "move-mount", .attempt = find_move_mount },
	{ .name = "move-mount", USER | CLONE_NEWNS, attach_tmpfs },
	{ .name = "move-mount", CLONE_NEWNS, attach_tmpfs },
	{ .name = "pivot-root", USER | CLONE_NEWNS, pivot },
	{ .name = "pivot-root", CLONE_NEWNS, pivot },
};

#define KNOWN (sizeof(known_trials) / sizeof(*known_trials))

static const char *const state_names[] = {
	[STATE_UNTRIED] = "untried", [STATE_WORKS] = "works",
	[STATE_FAILED] = "failed",   [STATE_KILLED] = "killed",
	[STATE_LATE] = "late",
};

void give_up_for(struct trial *trial, const char *step, int error)
{
	/* Shared memory of one image: a constant lies at the same place in all. */
	trial->step = step;
	trial->error = error;
	trial->state = STATE_FAILED;
	_exit(0);
}

void give_up(struct trial *trial, const char *step)
{
	give_up_for(trial, step, errno);
}

void die_with_parent(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
	    (parent != -1 && getppid() != parent))
		_exit(0);
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "confine-probe: Cannot %s: %s\n", what,
		strerror(errno));
	exit(EXIT_CANNOT_PROBE);
}

static int64_t now_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		fail("read the clock");
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct trial *share_trials(int argc, char **argv, size_t *count)
{
	size_t cgroups = argc > 1 ? (size_t)argc - 1 : 0;
	struct trial *trials;

	if (cgroups > MAX_CGROUPS)
		cgroups = MAX_CGROUPS;
	*count = KNOWN + cgroups;
	trials = mmap(NULL, *count * sizeof(*trials), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (trials == MAP_FAILED)
		fail("share memory with the children");
	memcpy(trials, known_trials, sizeof(known_trials));
	for (size_t i = 0; i < cgroups; i++)
		trials[KNOWN + i] = (struct trial) {
			.name = "cgroup",
			.attempt = make_cgroup,
			.operand = argv[1 + i],
			.value = (long)i,
		};
	return trials;
}

static _Noreturn void run(struct trial *trial, const sigset_t *signals,
			  pid_t parent)
{
	die_with_parent(parent);
	if (sigprocmask(SIG_SETMASK, signals, NULL) != 0)
		give_up(trial, "start");
	if (trial->namespaces != 0 || trial->oversee != NULL)
		try_beside(trial);
	else
		trial->attempt(trial);
	trial->state = STATE_WORKS;
	_exit(0);
}

static bool start(struct trial *trial, const sigset_t *signals)
{
	const pid_t self = getpid();
	pid_t pid = fork();

	if (pid == 0)
		run(trial, signals, self);
	if (pid < 0) {
		trial->step = "fork";
		trial->error = errno;
		return false;
	}
	trial->pid = pid;
	return true;
}

/* Takes the children that have ended. Returns how many. */
static size_t reap(struct trial *trials, size_t count)
{
	size_t reaped = 0;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < count; i++) {
			if (trials[i].pid != pid)
				continue;
			trials[i].pid = 0;
			reaped++;
			if (WIFSIGNALED(status) &&
			    trials[i].state == STATE_UNTRIED) {
				trials[i].state = STATE_KILLED;
				trials[i].value = WTERMSIG(status);
			}
			if (trials[i].operand != NULL)
				remove_cgroup(&trials[i], pid);
		}
	}
	return reaped;
}

static void end_late(struct trial *trials, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		pid_t pid = trials[i].pid;

		if (pid == 0)
			continue;
		trials[i].state = STATE_LATE;
		if (kill(pid, SIGKILL) != 0 || waitpid(pid, NULL, 0) != pid)
			fail("end a child");
		trials[i].pid = 0;
		if (trials[i].operand != NULL)
			remove_cgroup(&trials[i], pid);
	}
}

static void try_all(struct trial *trials, size_t count, const sigset_t *signals)
{
	const int64_t end = now_ms() + DEADLINE_MS;
	size_t next = 0, running = 0;
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	while (next < count || running > 0) {
		int64_t left = end - now_ms();
		struct timespec timeout = { left / 1000,
					    left % 1000 * 1000000 };

		if (left <= 0)
			break;
		while (next < count && running < AT_ONCE)
			running += start(&trials[next++], signals);
		if (sigtimedwait(&child, NULL, &timeout) < 0 &&
		    errno != EAGAIN && errno != EINTR)
			fail("wait for the children");
		running -= reap(trials, count);
	}
	end_late(trials, count);
}

static const char *world_of(const struct trial *trial)
{
	if (trial->namespaces == 0)
		return "host";
	return (trial->namespaces & CLONE_NEWUSER) != 0 ? "user" : "root";
}

static void print(const struct trial *trial)
{
	printf("{\"check\":\"%s\",\"world\":\"%s\",\"state\":\"%s\",\"step\":\"%s\",\"error\":%d,\"value\":%ld}\n",
	       trial->name, world_of(trial), state_names[trial->state],
	       trial->step == NULL ? "" : trial->step, trial->error,
	       trial->value);
}

/*
 * 1. Ask to die with the host; have no core.
 * 2. Lay the trials out in memory that the children share.
 * 3. Run each in a child of its own, a few at a time; end those that are late.
 * 4. Remove what a child that was ended may have left.
 * 5. Write what came of them.
 */
int main(int argc, char **argv)
{
	const struct rlimit none = { 0, 0 };
	struct trial *trials;
	sigset_t child, before;
	size_t count;

	/* Who launches is not known here; after the deadline it ends anyway. */
	die_with_parent(-1);
	if (setrlimit(RLIMIT_CORE, &none) != 0)
		fail("forbid cores");
	trials = share_trials(argc, argv, &count);
	/* Held back, so that none is missed between two looks. */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &child, &before) != 0)
		fail("hold the signals");
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR)
		fail("hear of children");
	try_all(trials, count, &before);
	for (size_t i = 0; i < count; i++)
		print(&trials[i]);
	if (fflush(stdout) != 0)
		fail("write");
	return 0;
}
