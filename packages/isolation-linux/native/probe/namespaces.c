/* New namespaces, entered as confine-launch enters them: by one clone(). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

#define GUEST_ID 1000
#define NOBODY_ID 65534

static const struct {
	int flag;
	const char *path;
} kinds[] = {
	{ CLONE_NEWUSER, "/proc/self/ns/user" },
	{ CLONE_NEWNS, "/proc/self/ns/mnt" },
	{ CLONE_NEWPID, "/proc/self/ns/pid" },
	{ CLONE_NEWNET, "/proc/self/ns/net" },
	{ CLONE_NEWIPC, "/proc/self/ns/ipc" },
	{ CLONE_NEWUTS, "/proc/self/ns/uts" },
	{ CLONE_NEWCGROUP, "/proc/self/ns/cgroup" },
};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

/* The identity of each namespace that the trial is to have anew. */
static void identify(struct trial *trial, ino_t ids[KINDS])
{
	struct stat status;

	for (size_t i = 0; i < KINDS; i++) {
		if ((trial->namespaces & kinds[i].flag) == 0)
			continue;
		if (stat(kinds[i].path, &status) != 0)
			give_up(trial, "identify");
		ids[i] = status.st_ino;
	}
}

/*
 * Before anything is done in it: some environments take the flags and do
 * nothing, and a mount would then be made on the host.
 */
static void assert_new(struct trial *trial, const ino_t before[KINDS])
{
	ino_t now[KINDS] = { 0 };

	identify(trial, now);
	for (size_t i = 0; i < KINDS; i++)
		if ((trial->namespaces & kinds[i].flag) != 0 &&
		    now[i] == before[i])
			give_up_for(trial, "be-new", 0);
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written;
	int error;

	if (fd < 0)
		return false;
	written = write(fd, text, strlen(text));
	error = errno;
	close(fd);
	errno = error;
	return written == (ssize_t)strlen(text);
}

static bool map_id(const char *path, unsigned long id)
{
	char text[48];

	snprintf(text, sizeof(text), "%d %lu 1", GUEST_ID, id);
	return write_file(path, text);
}

/* Root lends the identity of nobody where there is one, everybody else their own. */
static bool map_ids(pid_t pid, const char **step)
{
	const bool is_root = geteuid() == 0;
	char path[64];

	*step = "setgroups";
	snprintf(path, sizeof(path), "/proc/%d/setgroups", pid);
	if (!write_file(path, "deny"))
		return false;
	*step = "uid_map";
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	if (!(is_root && map_id(path, NOBODY_ID)) && !map_id(path, geteuid()))
		return false;
	*step = "gid_map";
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	return (is_root && map_id(path, NOBODY_ID)) || map_id(path, getegid());
}

/* The other process: waits for its turn, which does not come if this one dies. */
static _Noreturn void be_inside(struct trial *trial, const int turn[2],
				const ino_t before[KINDS])
{
	char byte;

	/* From a process namespace of its own it is not to be seen; the pipe tells. */
	die_with_parent(-1);
	close(turn[1]);
	if (read(turn[0], &byte, 1) != 1)
		_exit(0);
	assert_new(trial, before);
	trial->attempt(trial);
	trial->state = STATE_WORKS;
	_exit(0);
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* What `oversee` does ends this process when it fails, and the sleeper with it. */
static void try_outside(struct trial *trial, pid_t sleeper)
{
	trial->oversee(trial, sleeper);
	end(sleeper);
}

static void try_inside(struct trial *trial, pid_t pid, int turn)
{
	int status;

	if (write(turn, "", 1) != 1)
		give_up(trial, "start");
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			give_up(trial, "wait");
	if (WIFSIGNALED(status)) {
		trial->value = WTERMSIG(status);
		trial->state = STATE_KILLED;
		_exit(0);
	}
	/* It has said itself how far it came. */
	_exit(0);
}

void try_beside(struct trial *trial)
{
	const char *step;
	ino_t before[KINDS] = { 0 };
	int turn[2];
	pid_t pid;

	identify(trial, before);
	if (pipe2(turn, O_CLOEXEC) != 0)
		give_up(trial, "pipe");
	/* clone() and not clone3(), which container profiles answer with ENOSYS. */
	pid = (pid_t)syscall(SYS_clone, trial->namespaces | SIGCHLD, NULL, NULL,
			     NULL, NULL);
	if (pid < 0)
		give_up(trial, "clone");
	if (pid == 0)
		be_inside(trial, turn, before);
	close(turn[0]);
	if ((trial->namespaces & CLONE_NEWUSER) != 0 && !map_ids(pid, &step)) {
		int error = errno;

		end(pid);
		give_up_for(trial, step, error);
	}
	if (trial->oversee != NULL)
		try_outside(trial, pid);
	else
		try_inside(trial, pid, turn[1]);
}

void use_capability(struct trial *trial)
{
	/* AppArmor gives the namespace and takes its capabilities. */
	if (prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT, 0, 0, 0) != 0)
		give_up(trial, "capability");
}

void own_mounts(struct trial *trial)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		give_up(trial, "mount");
}

void be_first_process(struct trial *trial)
{
	if (getpid() != 1)
		give_up_for(trial, "be-first", 0);
}

void own_hostname(struct trial *trial)
{
	if (sethostname("confine", 7) != 0)
		give_up(trial, "sethostname");
}

void be_there(struct trial *trial)
{
	(void)trial;
}
