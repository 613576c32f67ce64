/* What is given up: capabilities, privileges to come, resources. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch.h"

#define LAST_POSSIBLE_CAPABILITY 63

#define LOCKED_SECUREBITS                                                \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | \
	 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |       \
	 SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

/*
 * A change of credentials clears the parent-death signal, so this is called
 * again after each. The socket tells whether the supervisor died before.
 */
void die_with_supervisor(const struct side *side)
{
	struct pollfd supervisor = { .fd = side->socket };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		fail(side, STAGE_PRIVILEGES, "ask to die with the supervisor",
		     "");
	if (poll(&supervisor, 1, 0) != 0)
		_exit(EXIT_SETUP_FAILED);
}

bool has_capability(int capability)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct sets[2] = { 0 };

	return syscall(SYS_capget, &header, sets) == 0 &&
	       (sets[CAP_TO_INDEX(capability)].effective &
		CAP_TO_MASK(capability)) != 0;
}

/* Its end closes the control socket too; but who is stopped hears nothing. */
void die_with_host(const struct side *side)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		fail(side, STAGE_PRIVILEGES, "ask to die with the host", "");
}

/* An init that died before would never be noticed. */
void die_with_init(const struct side *side, pid_t init)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		fail(side, STAGE_PRIVILEGES, "ask to die with init", "");
	if (getppid() != init)
		_exit(EXIT_SETUP_FAILED);
}

static void assert_no_capabilities(const struct side *side)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &header, sets) != 0)
		fail(side, STAGE_PRIVILEGES, "read the capabilities", "");
	for (int i = 0; i < 2; i++) {
		if (sets[i].effective == 0 && sets[i].permitted == 0 &&
		    sets[i].inheritable == 0)
			continue;
		errno = EPERM;
		fail(side, STAGE_PRIVILEGES, "get rid of all capabilities", "");
	}
}

void drop_capabilities(const struct side *side)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = { 0 };

	if (syscall(SYS_capset, &header, none) != 0)
		fail(side, STAGE_PRIVILEGES, "drop all capabilities", "");
	assert_no_capabilities(side);
}

void shrink_capabilities(const struct side *side)
{
	for (int i = 0; i <= LAST_POSSIBLE_CAPABILITY; i++) {
		if (prctl(PR_CAPBSET_DROP, i) == 0)
			continue;
		/* The kernel's last one was the one before; verify.c sees whether all are gone. */
		if (i > 0 && errno == EINVAL)
			break;
		fail(side, STAGE_PRIVILEGES,
		     "shrink the bounding set of capabilities", "");
	}
	if (prctl(PR_SET_SECUREBITS, LOCKED_SECUREBITS) != 0)
		fail(side, STAGE_PRIVILEGES, "lock the secure bits", "");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		fail(side, STAGE_PRIVILEGES, "clear the ambient capabilities",
		     "");
}

void forbid_new_privileges(const struct side *side)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		fail(side, STAGE_PRIVILEGES, "set no_new_privs", "");
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
		errno = EPERM;
		fail(side, STAGE_PRIVILEGES, "set no_new_privs for good", "");
	}
}

/* No core, no ptrace, no /proc/<pid>/mem for processes of the same user. */
void hide_memory(const struct side *side)
{
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		fail(side, STAGE_PRIVILEGES, "hide the memory", "");
}

/* What the host ignores or blocks is inherited, by exec too. */
void reset_signals(const struct side *side)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		if (number != SIGKILL && number != SIGSTOP)
			signal(number, SIG_DFL);
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) != 0)
		fail(side, STAGE_PRIVILEGES, "unblock the signals", "");
}

/*
 * The terminal without the session. Linux gives each session a share of the
 * processors of its own (CONFIG_SCHED_AUTOGROUP), and to go from one to the
 * other at every call takes time. For a child of the one who was launched: it
 * leads no session, which would lose its terminal. tty_ioctl(4), TIOCNOTTY
 */
bool leave_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	bool has_left;

	if (fd < 0)
		return errno == ENXIO;
	has_left = ioctl(fd, TIOCNOTTY) == 0;
	close(fd);
	return has_left;
}

/* Behind the host by so much, and never above it: the guest may not raise it. */
void lower_priority(const struct side *side, int nice)
{
	const int lowest = 19;
	int own;

	errno = 0;
	own = getpriority(PRIO_PROCESS, 0);
	if (errno != 0)
		fail(side, STAGE_PRIVILEGES, "read the", "priority");
	if (nice > lowest - own)
		nice = lowest - own;
	if (setpriority(PRIO_PROCESS, 0, own + nice) != 0)
		fail(side, STAGE_PRIVILEGES, "lower the", "priority");
}

/*
 * A limit is lowered to a value, and left alone where it is lower already.
 * Processes are counted by user: in a user namespace init is counted too,
 * without one the supervisor as well, and with an identity that others share
 * their processes would count.
 */
void limit_resources(const struct side *side, const struct options *options,
		     const struct world *world)
{
	for (size_t i = 0; i < options->limit_count; i++) {
		int resource = options->limits[i].resource;
		rlim_t value = options->limits[i].value;
		struct rlimit limit;
		char text[48];

		if (resource == RLIMIT_NPROC && world->tier != TIER_FULL) {
			if (!world->is_own)
				continue;
			value++;
		}
		snprintf(text, sizeof(text), "%d to %llu", resource,
			 (unsigned long long)value);
		if (getrlimit(resource, &limit) != 0)
			fail(side, STAGE_PRIVILEGES, "read the resource limit",
			     text);
		if (limit.rlim_max < value)
			value = limit.rlim_max;
		limit.rlim_cur = limit.rlim_max = value;
		if (setrlimit(resource, &limit) != 0)
			fail(side, STAGE_PRIVILEGES, "set the resource limit",
			     text);
	}
}
