/* The namespaces, and who the guest is in them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

#define NAMESPACES                                                      \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |    \
	 CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

pid_t enter_namespaces(const struct side *side, int *pidfd)
{
	pid_t init;

	/*
	 * A user namespace cannot take supplementary groups away once
	 * setgroups() is forbidden in it, so root does it before.
	 */
	if (geteuid() == 0 && setgroups(0, NULL) != 0)
		fail(side, STAGE_IDENTITY, "give up the supplementary groups",
		     "");
	/*
	 * clone() and not clone3(), which container profiles answer with
	 * ENOSYS. Flags, stack and the place for the pidfd are the first three
	 * arguments on x86-64 and on arm64.
	 */
	init = (pid_t)syscall(SYS_clone, NAMESPACES | CLONE_PIDFD | SIGCHLD,
			      NULL, pidfd, NULL, NULL);
	if (init < 0)
		fail(side, STAGE_NAMESPACES, "create the namespaces", "");
	return init;
}

int end_init(const struct side *side, bool by_force)
{
	int status = 0;

	if (by_force)
		syscall(SYS_pidfd_send_signal, side->init_pidfd, SIGKILL, NULL,
			0);
	while (waitpid(side->init, &status, __WALL) < 0 && errno == EINTR)
		;
	return status;
}

static void write_file(const struct side *side, const char *path,
		       const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		fail(side, STAGE_IDENTITY, "open", path);
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		fail(side, STAGE_IDENTITY, "write", path);
	close(fd);
}

/* Whether this id exists in the user namespace of the launcher. */
static bool is_mapped(const char *map, unsigned long id)
{
	FILE *file = fopen(map, "re");
	unsigned long inside, outside, count;
	bool found = false;

	if (file == NULL)
		return false;
	while (!found &&
	       fscanf(file, "%lu %lu %lu", &inside, &outside, &count) == 3)
		found = id >= inside && id - inside < count;
	fclose(file);
	return found;
}

/*
 * Root lends the guest the identity of nobody, everybody else their own. A
 * root that is alone in its user namespace is nobody special outside.
 */
void map_identity(const struct side *side, pid_t init)
{
	unsigned long uid = geteuid(), gid = getegid();
	char path[64], text[64];

	if (uid == 0 && is_mapped("/proc/self/uid_map", NOBODY_ID) &&
	    is_mapped("/proc/self/gid_map", NOBODY_ID))
		uid = gid = NOBODY_ID;

	snprintf(path, sizeof(path), "/proc/%d/setgroups", init);
	write_file(side, path, "deny");
	snprintf(path, sizeof(path), "/proc/%d/uid_map", init);
	snprintf(text, sizeof(text), "%d %lu 1", GUEST_ID, uid);
	write_file(side, path, text);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", init);
	snprintf(text, sizeof(text), "%d %lu 1", GUEST_ID, gid);
	write_file(side, path, text);
}

/*
 * A second wall: the filter kills who asks for a namespace. Containers mount
 * /proc/sys read-only, so it may be missing.
 */
void forbid_nested_namespaces(const struct side *side, uint32_t *layers)
{
	const char *path = "/proc/sys/user/max_user_namespaces";
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 && errno != EROFS && errno != ENOENT && errno != EACCES)
		fail(side, STAGE_NAMESPACES, "open", path);
	if (fd < 0)
		return;
	if (write(fd, "0", 1) != 1)
		fail(side, STAGE_NAMESPACES, "write", path);
	close(fd);
	*layers |= LAYER_NO_NESTED_USER_NS;
}

void take_identity(const struct side *side)
{
	if (setresgid(GUEST_ID, GUEST_ID, GUEST_ID) != 0)
		fail(side, STAGE_IDENTITY, "take the guest's group id", "");
	if (setresuid(GUEST_ID, GUEST_ID, GUEST_ID) != 0)
		fail(side, STAGE_IDENTITY, "take the guest's user id", "");
}

/* The new namespace begins with the names of the host. */
void take_hostname(const struct side *side, const char *name)
{
	if (sethostname(name, strlen(name)) != 0)
		fail(side, STAGE_NAMESPACES, "set the host name", name);
	if (setdomainname("", 0) != 0)
		fail(side, STAGE_NAMESPACES, "clear the domain name", "");
}
