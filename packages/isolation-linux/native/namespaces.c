/* The namespaces, and who the guest is in them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper.h"
#include "launch.h"

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

/* How long init may take to end the guest. */
#define PATIENCE_MS 1000

/*
 * A user namespace cannot take supplementary groups away once setgroups() is
 * forbidden in it, so root does it before. A root without CAP_SETGID keeps
 * its own, as everybody else does.
 */
void give_up_groups(const struct side *side)
{
	if (has_capability(CAP_SETGID) && setgroups(0, NULL) != 0)
		fail(side, STAGE_IDENTITY, "give up the supplementary groups",
		     "");
}

pid_t enter_namespaces(unsigned long namespaces, struct side *side)
{
	/*
	 * clone() and not clone3(), which container profiles answer with
	 * ENOSYS. Flags, stack and the place for the pidfd are the first three
	 * arguments on x86-64 and on arm64.
	 */
	pid_t init =
		(pid_t)syscall(SYS_clone, namespaces | CLONE_PIDFD | SIGCHLD,
			       NULL, &side->init_pidfd, NULL, NULL);

	side->init = init > 0 ? init : 0;
	/* By this the guest is ended: where it fails, there must be no guest. */
	if (init > 0 &&
	    syscall(SYS_pidfd_send_signal, side->init_pidfd, 0, NULL, 0) != 0)
		fail(side, STAGE_NAMESPACES, "send signals by", "pidfd");
	return init;
}

int wait_for_init(const struct side *side)
{
	int status = 0, how = __WALL;
	pid_t ended;

	/* It holds the guest's number until now. */
	shutdown(side->init_socket, SHUT_WR);
	while (waitpid(side->init, &status, __WALL) < 0 && errno == EINTR)
		;
	/* One that somebody has stopped would be waited for until he thinks better of it. */
	if (!end_keeper(side))
		how |= WNOHANG;
	/* Without a process namespace init leaves the guest behind, dying, to this process. */
	do
		ended = waitpid(-1, NULL, how);
	while (ended > 0 || (ended < 0 && errno == EINTR));
	return status;
}

/*
 * Init ends the guest and tells what it used. The guest has no means to keep
 * it from that; somebody outside, who has stopped it, has.
 */
int end_init(const struct side *side)
{
	struct pollfd init = { side->init_pidfd, POLLIN, 0 };

	shutdown(side->init_socket, SHUT_WR);
	if (poll(&init, 1, PATIENCE_MS) <= 0)
		syscall(SYS_pidfd_send_signal, side->init_pidfd, SIGKILL, NULL,
			0);
	return wait_for_init(side);
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
	/* Room for the 340 lines that a map may have. user_namespaces(7) */
	char text[340 * 36];
	size_t size = 0;
	int fd = open(map, O_RDONLY | O_CLOEXEC);
	unsigned long inside, outside, count;
	ssize_t got;
	int length;

	/* Without /proc nobody knows; most are in the first one, where all are. */
	if (fd < 0)
		return true;
	while ((got = read(fd, text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)got;
	close(fd);
	text[size] = '\0';
	for (const char *line = text; sscanf(line, "%lu %lu %lu%n", &inside,
					     &outside, &count, &length) == 3;
	     line += length)
		if (id >= inside && id - inside < count)
			return true;
	return false;
}

static bool is_mapped_id(unsigned long id)
{
	return is_mapped("/proc/self/uid_map", id) &&
	       is_mapped("/proc/self/gid_map", id);
}

/*
 * Root lends the guest the identity of nobody, or without a user namespace one
 * that nobody else has; everybody else lends their own. A root that is alone
 * in its user namespace is nobody special outside. To signal what has become
 * somebody else takes CAP_KILL until this process becomes the same.
 */
void choose_identity(struct world *world)
{
	unsigned int own = OWN_ID_FIRST + (unsigned int)getpid();

	world->uid = geteuid();
	world->gid = getegid();
	world->is_changed = world->is_own = false;
	if (world->uid != 0)
		return;
	if (world->tier == TIER_FULL) {
		if (is_mapped_id(NOBODY_ID))
			world->uid = world->gid = NOBODY_ID;
		return;
	}
	if (!has_capability(CAP_SETUID) || !has_capability(CAP_SETGID) ||
	    !has_capability(CAP_KILL))
		return;
	world->is_own = is_mapped_id(own);
#ifdef WITHOUT_OWN_UID
	own = NOBODY_ID;
#endif
	world->is_changed = world->is_own || is_mapped_id(NOBODY_ID);
	if (world->is_changed)
		world->uid = world->gid = world->is_own ? own : NOBODY_ID;
}

void map_identity(const struct side *side, const struct world *world)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/%d/setgroups", side->init);
	write_file(side, path, "deny");
	snprintf(path, sizeof(path), "/proc/%d/uid_map", side->init);
	snprintf(text, sizeof(text), "%d %u 1", GUEST_ID, world->uid);
	write_file(side, path, text);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", side->init);
	snprintf(text, sizeof(text), "%d %u 1", GUEST_ID, world->gid);
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
#ifndef WITHOUT_NO_NESTED_USER_NS
	if (write(fd, "0", 1) != 1)
		fail(side, STAGE_NAMESPACES, "write", path);
#endif
	close(fd);
	*layers |= LAYER_NO_NESTED_USER_NS;
}

/* After the identity is taken: one that is not mapped cannot make any. */
void assert_no_nested_namespaces(const struct side *side)
{
	if (unshare(CLONE_NEWUSER) != 0)
		return;
	errno = 0;
	fail(side, STAGE_VERIFY, "forbid", "further user namespaces");
}

void take_identity(const struct side *side, uid_t uid, gid_t gid)
{
	if (setresgid(gid, gid, gid) != 0)
		fail(side, STAGE_IDENTITY, "take the guest's group id", "");
	if (setresuid(uid, uid, uid) != 0)
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
