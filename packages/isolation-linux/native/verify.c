/*
 * What is said to be in force, seen from outside once the program runs and
 * before it has got an answer to its first call. A layer that does not show
 * is a failed set-up.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "entries.h"
#include "launch.h"

static _Noreturn void fail_verify(const struct side *side, const char *what,
				  const char *found)
{
	char operand[256];

	snprintf(operand, sizeof(operand), "%s: it is %s", what, found);
	errno = 0;
	fail(side, STAGE_VERIFY, "see that the guest has", operand);
}

bool has_proc(void)
{
	char text[32] = { 0 };

	return readlink("/proc/self", text, sizeof(text) - 1) > 0 &&
	       atol(text) == getpid();
}

/* A line of /proc/<pid>/status without its name, the tabs as spaces. */
static bool read_field(const char *status, const char *name, char *value,
		       size_t size)
{
	char start[32];
	const char *at;
	size_t length;

	snprintf(start, sizeof(start), "\n%s:", name);
	at = strstr(status, start);
	if (at == NULL)
		return false;
	at += strlen(start);
	at += strspn(at, "\t ");
	length = strcspn(at, "\n");
	if (length >= size)
		length = size - 1;
	memcpy(value, at, length);
	value[length] = '\0';
	for (size_t i = 0; i < length; i++)
		if (value[i] == '\t')
			value[i] = ' ';
	return true;
}

static void expect_field(const struct side *side, const char *status,
			 const char *name, const char *expected)
{
	char value[128], what[160];

	if (!read_field(status, name, value, sizeof(value)))
		strcpy(value, "not said");
	if (strcmp(value, expected) == 0)
		return;
	snprintf(what, sizeof(what), "%s %s", name, expected);
	fail_verify(side, what, value);
}

static void expect_id(const struct side *side, const char *status,
		      const char *name, unsigned int id)
{
	char text[64];

	snprintf(text, sizeof(text), "%u %u %u %u", id, id, id, id);
	expect_field(side, status, name, text);
}

static void verify_status(const struct side *side, const struct world *world,
			  uint32_t layers, const char *status)
{
	static const char *const capabilities[] = { "CapInh", "CapPrm",
						    "CapEff", "CapAmb" };

	if ((layers & LAYER_NO_NEW_PRIVS) != 0)
		expect_field(side, status, "NoNewPrivs", "1");
	if ((layers & LAYER_SECCOMP_NOTIFY) != 0)
		expect_field(side, status, "Seccomp", "2");
	if ((layers & LAYER_NO_CAPABILITIES) != 0)
		for (int i = 0; i < 4; i++)
			expect_field(side, status, capabilities[i],
				     "0000000000000000");
	/* To shrink it takes a capability, which is had in a user namespace or as root. */
	if (world->tier != TIER_BARE)
		expect_field(side, status, "CapBnd", "0000000000000000");
	if ((layers & LAYER_OWN_UID) != 0)
		expect_id(side, status, "Uid",
			  OWN_ID_FIRST + (unsigned int)getpid());
	expect_id(side, status, "Uid", world->uid);
	expect_id(side, status, "Gid", world->gid);
}

static int open_directory(const struct side *side, const char *path, int how)
{
	int fd = open(path, how | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		fail(side, STAGE_VERIFY, "open", path);
	return fd;
}

static void verify_namespaces(const struct side *side, uint32_t layers,
			      pid_t guest)
{
	/* In the order of their layers. */
	static const char *const names[] = { "user", "mnt", "pid",   "net",
					     "ipc",  "uts", "cgroup" };

	char path[64];
	int ours = -1, theirs = -1;

	if ((layers & ((1u << (sizeof(names) / sizeof(*names))) - 1)) == 0)
		return;
	ours = open_directory(side, "/proc/self/ns", O_PATH);
	snprintf(path, sizeof(path), "/proc/%d/ns", guest);
	theirs = open_directory(side, path, O_PATH);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char own[64] = { 0 }, found[64] = { 0 };

		if ((layers & (1u << i)) == 0)
			continue;
		if (readlinkat(ours, names[i], own, sizeof(own) - 1) < 0 ||
		    readlinkat(theirs, names[i], found, sizeof(found) - 1) < 0)
			fail(side, STAGE_VERIFY, "read the namespace",
			     names[i]);
		if (strcmp(own, found) == 0)
			fail_verify(side, "a namespace of its own", own);
	}
	close(ours);
	close(theirs);
}

/* Not the host's root, nothing of it below, and read-only. */
static void verify_root(const struct side *side, pid_t guest)
{
	struct stat own, theirs, canary;
	struct statfs mounted;
	char path[64];
	int root;

	snprintf(path, sizeof(path), "/proc/%d/root", guest);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || fstat(root, &theirs) != 0 ||
	    fstatfs(root, &mounted) != 0 || stat("/", &own) != 0)
		fail(side, STAGE_VERIFY, "look at", path);
	if (own.st_dev == theirs.st_dev && own.st_ino == theirs.st_ino)
		fail_verify(side, "a root of its own", "the host's");
	if ((mounted.f_flags & ST_RDONLY) == 0)
		fail_verify(side, "a read-only root", "writable");
	if (fstatat(root, "proc/self", &canary, AT_SYMLINK_NOFOLLOW) == 0)
		fail_verify(side, "no /proc", "there");
	close(root);
}

static void verify_descriptors(const struct side *side, pid_t guest)
{
	struct entries entries = { 0 };
	char path[64];
	const char *name;

	snprintf(path, sizeof(path), "/proc/%d/fd", guest);
	entries.directory = open_directory(side, path, O_RDONLY);
	while ((name = next_entry(&entries)) != NULL)
		if (atoi(name) > CHANNEL_FD)
			fail_verify(side, "no descriptor but 0 to 3", name);
	if (entries.size < 0)
		fail(side, STAGE_VERIFY, "list", path);
	close(entries.directory);
}

/* What is above it is the launcher's: its filter lets sendmsg() pass there. */
static void verify_descriptor_limit(const struct side *side,
				    const struct options *options, pid_t guest)
{
	struct rlimit found;
	char text[32];

	if (prlimit(guest, RLIMIT_NOFILE, NULL, &found) != 0)
		fail(side, STAGE_VERIFY, "read the limits of", "the guest");
	if (found.rlim_max <= (rlim_t)options->handover)
		return;
	snprintf(text, sizeof(text), "%llu",
		 (unsigned long long)found.rlim_max);
	fail_verify(side, "a limit of descriptors", text);
}

void verify_guest(const struct side *side, const struct options *options,
		  struct world *world, uint32_t layers, pid_t guest)
{
	char path[64], status[4096];
	ssize_t got;
	int fd;

	verify_descriptor_limit(side, options, guest);
	world->is_verified = has_proc();
	if (!world->is_verified)
		return;
	snprintf(path, sizeof(path), "/proc/%d/status", guest);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);
	if (got < 0)
		fail(side, STAGE_VERIFY, "read", path);
	status[got] = '\0';
	close(fd);
	verify_status(side, world, layers, status);
	verify_namespaces(side, layers, guest);
	if ((layers & LAYER_READ_ONLY_ROOT) != 0)
		verify_root(side, guest);
	/* A guest with files opens its libraries by now, and nobody holds it up. */
	if ((layers & LAYER_NO_NEW_DESCRIPTORS) != 0)
		verify_descriptors(side, guest);
}
