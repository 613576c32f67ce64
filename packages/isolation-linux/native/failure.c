/*
 * How a step that failed reaches the host: init and the guest's side send a
 * packet to the supervisor, the supervisor writes the report.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launch.h"

static const char *const stage_names[STAGE_COUNT] = {
	[STAGE_OPTIONS] = "options",
	[STAGE_PLAN] = "plan",
	[STAGE_NAMESPACES] = "namespaces",
	[STAGE_IDENTITY] = "identity",
	[STAGE_ROOT] = "root",
	[STAGE_PRIVILEGES] = "privileges",
	[STAGE_LANDLOCK] = "landlock",
	[STAGE_SECCOMP] = "seccomp",
	[STAGE_EXEC] = "exec",
	[STAGE_SUPERVISE] = "supervise",
	[STAGE_VERIFY] = "verify",
};

/* The number in a file of /proc/sys, -1: there is none. */
static long read_sysctl(const char *path)
{
	char text[24] = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	return got <= 0 ? -1 : strtol(text, NULL, 10);
}

static const char *hint_for_namespaces(int error)
{
	if (read_sysctl("/proc/sys/kernel/unprivileged_userns_clone") == 0)
		return "This system forbids user namespaces to users: run 'sysctl -w kernel.unprivileged_userns_clone=1' as root";
	if (error == ENOSPC ||
	    read_sysctl("/proc/sys/user/max_user_namespaces") == 0)
		return "The number of user namespaces is used up or limited to none: raise user.max_user_namespaces with sysctl as root";
	if (read_sysctl(
		    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns") ==
	    1)
		return "AppArmor restricts user namespaces here, as Ubuntu does since 23.10: install an AppArmor profile with 'userns,' for confine-launch, or run 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0' as root";
	if (error == EPERM || error == EACCES)
		return "In a container its seccomp profile most likely forbids it, as Docker's default profile does: start the container with one that allows clone, mount and pivot_root, such as --security-opt seccomp=unconfined";
	if (error == EINVAL)
		return "This kernel lacks one of the user, mount, pid, network, ipc, uts and cgroup namespaces";
	return "";
}

/* Root launches guests that are nobody; everybody else themselves. */
static const char *hint_for_grant(int error)
{
	if (error == EROFS)
		return "The host has it mounted read-only: leave it out of policy.write";
	if (error == ELOOP)
		return "There is a symbolic link where none was when the sandbox was made";
	if (error == ENOENT || error == ENOTDIR)
		return "It was there when the sandbox was made, and is not any more";
	return geteuid() == 0 ?
		       "Its file system gives a guest no ownership (an overlay, a network share), so the guest acts as nobody there: change mode or owner, or name a directory of a volume" :
		       "Give the user who launches the right to it";
}

static const char *hint_for_boot(int error)
{
	if (error != EACCES)
		return "It was there when the sandbox was made, and is not any more";
	return geteuid() == 0 ?
		       "Guests of root are nobody, and its file system gives them no ownership (an overlay, a network share, no user namespaces): run 'chmod -R o+rX' on it, 'chmod o+rx' if it is a program, or launch as its owner" :
		       "Give the user who launches the right to read it, and to execute it if it is a program";
}

static const char *hint_for_root(const char *verb, int error)
{
	if (strcmp(verb, "let the guest boot from") == 0)
		return hint_for_boot(error);
	if (strcmp(verb, "let the guest pass through") == 0)
		return geteuid() == 0 ?
			       "Guests of root are nobody, and without namespaces they read their files where those are: install in a directory that everybody may pass, or launch as its owner" :
			       "Give the user who launches the right to pass it";
	if (strncmp(verb, "let the guest", 13) == 0 ||
	    strcmp(verb, "open the granted") == 0)
		return hint_for_grant(error);
	if (error == ENOSYS)
		return "Linux 5.12 or newer is needed, and a container's seccomp profile must not forbid the mount calls";
	if (error == EINVAL && strncmp(verb, "pivot", 5) == 0)
		return "The root of this machine seems to be an initramfs, which cannot be pivoted: start the host from another root file system";
	if (error == EPERM)
		return hint_for_namespaces(error);
	if (error == EACCES)
		return read_sysctl(
			       "/proc/sys/kernel/apparmor_restrict_unprivileged_userns") ==
				       1 ?
			       hint_for_namespaces(error) :
			       "The path must be readable for the user who launches";
	return "";
}

const char *hint_for(const struct packet *packet)
{
	switch (packet->stage) {
	case STAGE_OPTIONS:
	case STAGE_PLAN:
		return "The launcher and the package that starts it must be of the same version";
	case STAGE_NAMESPACES:
		return hint_for_namespaces(packet->error);
	case STAGE_ROOT:
		return hint_for_root(packet->verb, packet->error);
	case STAGE_SECCOMP:
		if (packet->error == EINVAL || packet->error == ENOSYS)
			return "Seccomp with user notification is needed: Linux 5.5 or newer, not under gVisor";
		if (packet->error == EBUSY)
			return "A supervisor of another sandbox already listens to this process tree";
		return "";
	case STAGE_EXEC:
		if (packet->error == EACCES)
			return "The program must be executable and readable for the user who launches, and for everybody when root does";
		if (packet->error == ENOENT)
			return "The program, or the loader that it names, is not there";
		return "";
	case STAGE_SUPERVISE:
		if (packet->error == ENOENT &&
		    strncmp(packet->operand, "/proc/", 6) == 0)
			return "Without /proc neither the memory of the guest can be limited nor, here, its threads: run 'mount -t proc proc /proc' as root, or set limits.memoryMiB and limits.threads to Infinity";
		if (packet->error == EPERM)
			return "Yama or another security module forbids to read a child's memory: set kernel.yama.ptrace_scope to 2 or less";
		return "";
	default:
		return "";
	}
}

void send_packet(const struct side *side, const struct packet *packet)
{
	/*
	 * write(), which every filter here allows. When nobody is left to read
	 * it, this process is about to end anyway.
	 */
	if (write(side->socket, packet, sizeof(*packet)) < 0)
		_exit(EXIT_SETUP_FAILED);
}

void fail_for(const struct side *side, const struct packet *packet)
{
	int code = EXIT_SETUP_FAILED;

	if (packet->stage == STAGE_EXEC)
		code = packet->error == ENOENT ? EXIT_NOT_FOUND :
						 EXIT_CANNOT_EXECUTE;
	if (side->init > 0)
		end_init(side);
	report_setup_failed(side->report, stage_names[packet->stage],
			    packet->verb, packet->operand, packet->error,
			    hint_for(packet));
	_exit(code);
}

void fail(const struct side *side, enum stage stage, const char *verb,
	  const char *operand)
{
	struct packet packet = {
		.kind = PACKET_FAILED,
		.stage = stage,
		.error = errno,
	};

	snprintf(packet.verb, sizeof(packet.verb), "%s", verb);
	snprintf(packet.operand, sizeof(packet.operand), "%s", operand);
	if (side->report != NULL)
		fail_for(side, &packet);
	send_packet(side, &packet);
	_exit(EXIT_SETUP_FAILED);
}
