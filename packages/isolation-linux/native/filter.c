/*
 * The seccomp filters. The guest's comes with the plan; init and the
 * supervisor, who do little, have short lists of their own.
 */
#define _GNU_SOURCE
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"
#include "launch.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1ul << 5)
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

/* A call that is allowed: always, or when the low word of an argument is this. */
struct allowed {
	int number;
	int argument; /* -1: always */
	uint32_t value;
};

#define MAX_ALLOWED 32
#define MAX_INSTRUCTIONS (6 + 6 * MAX_ALLOWED)
#define ANY -1

static int install(unsigned long flags, const struct sock_fprog *program)
{
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags,
			    program);
}

static void put(struct sock_fprog *program, uint16_t code, uint32_t k,
		uint8_t jump_true, uint8_t jump_false)
{
	program->filter[program->len++] =
		(struct sock_filter) { code, jump_true, jump_false, k };
}

static void put_load(struct sock_fprog *program, size_t offset)
{
	put(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void put_return(struct sock_fprog *program, uint32_t action)
{
	put(program, BPF_RET | BPF_K, action, 0, 0);
}

/* A list of calls that are allowed, and what becomes of the rest. */
static void put_list(struct sock_fprog *program, const struct allowed *list,
		     size_t count, uint32_t rest)
{
	put_load(program, offsetof(struct seccomp_data, arch));
	put(program, BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
	put_return(program, SECCOMP_RET_KILL_PROCESS);
	put_load(program, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < count && i < MAX_ALLOWED; i++) {
		uint32_t number = (uint32_t)list[i].number;

		if (list[i].argument == ANY) {
			put(program, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
			put_return(program, SECCOMP_RET_ALLOW);
			continue;
		}
		put(program, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4);
		put_load(program, offsetof(struct seccomp_data, args) +
					   8 * (size_t)list[i].argument);
		put(program, BPF_JMP | BPF_JEQ | BPF_K, list[i].value, 0, 1);
		put_return(program, SECCOMP_RET_ALLOW);
		put_load(program, offsetof(struct seccomp_data, nr));
	}
	put_return(program, rest);
}

static int install_list(const struct allowed *list, size_t count)
{
	struct sock_filter instructions[MAX_INSTRUCTIONS];
	struct sock_fprog program = { 0, instructions };

	put_list(&program, list, count, SECCOMP_RET_KILL_PROCESS);
	return install(0, &program);
}

static int listen_to(const struct side *side, const struct sock_fprog *program)
{
	int listener;

	/* Since 5.19 a signal does not tear a guest out of a call that is being answered. */
	listener = install(SECCOMP_FILTER_FLAG_NEW_LISTENER |
				   SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
			   program);
	if (listener < 0 && errno == EINVAL)
		listener = install(SECCOMP_FILTER_FLAG_NEW_LISTENER, program);
	if (listener < 0)
		fail(side, STAGE_SECCOMP, "install the filter of the guest",
		     "");
	return listener;
}

/* Every call goes to the supervisor, but what takes the listener there and what no life goes on or ends without. */
static int listen_to_all(const struct side *side, int handover)
{
	/* clang-format off */
	const struct allowed list[] = {
		{ SYS_sendmsg, 0, (uint32_t)handover },
		{ SYS_rt_sigreturn, ANY, 0 },
		{ SYS_restart_syscall, ANY, 0 },
		{ SYS_exit, ANY, 0 },
	};
	/* clang-format on */
	struct sock_filter instructions[MAX_INSTRUCTIONS];
	struct sock_fprog program = { 0, instructions };

	put_list(&program, list, sizeof(list) / sizeof(*list),
		 SECCOMP_RET_USER_NOTIF);
	return listen_to(side, &program);
}

static void fill_in(const struct plan *plan, uint32_t name, uint32_t value)
{
	for (size_t i = 0; i < plan->filter.len; i++)
		if (plan->filter.filter[i].code ==
			    (BPF_JMP | BPF_JEQ | BPF_K) &&
		    plan->filter.filter[i].k == name)
			plan->filter.filter[i].k = value;
}

void name_guest(const struct plan *plan, pid_t guest)
{
	fill_in(plan, OWN_PROCESS, (uint32_t)guest);
}

void name_handover(const struct plan *plan, int handover)
{
	fill_in(plan, HANDOVER, (uint32_t)handover);
}

/* As the plan has it, but that who starts a thread asks. */
static int listen_to_threads_too(const struct side *side,
				 const struct sock_fprog *filter)
{
	struct sock_filter instructions[BPF_MAXINSNS];
	struct sock_fprog program = { 0, instructions };

	put_load(&program, offsetof(struct seccomp_data, arch));
	put(&program, BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 0, 5);
	put_load(&program, offsetof(struct seccomp_data, nr));
	put(&program, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3);
	put_load(&program, offsetof(struct seccomp_data, args));
	put(&program, BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1);
	put_return(&program, SECCOMP_RET_USER_NOTIF);
	if (filter->len > BPF_MAXINSNS - program.len) {
		errno = E2BIG;
		fail(side, STAGE_SECCOMP, "add to the filter of the guest", "");
	}
	memcpy(instructions + program.len, filter->filter,
	       filter->len * sizeof(*instructions));
	program.len += filter->len;
	return listen_to(side, &program);
}

int filter_guest(const struct side *side, const struct plan *plan,
		 const struct options *options, const struct world *world)
{
	name_guest(plan, getpid());
	if (options->trace)
		return listen_to_all(side, options->handover);
	return counted_threads(options, world) > 0 ?
		       listen_to_threads_too(side, &plan->filter) :
		       listen_to(side, &plan->filter);
}

/* Waits for the guest and for the end of the supervisor, tells it, exits. */
void filter_init(const struct side *side, pid_t victim, clockid_t clock)
{
	/* clang-format off */
	const struct allowed list[] = {
		{ SYS_ppoll, ANY, 0 },
		{ SYS_waitid, ANY, 0 },
		{ SYS_wait4, ANY, 0 },
		{ SYS_write, ANY, 0 },
		{ SYS_kill, 0, (uint32_t)victim },
		{ SYS_clock_gettime, 0, (uint32_t)clock },
		{ SYS_rt_sigreturn, ANY, 0 },
		{ SYS_exit_group, ANY, 0 },
	};
	/* clang-format on */

	if (install_list(list, sizeof(list) / sizeof(*list)) != 0)
		fail(side, STAGE_SECCOMP, "install the filter of init", "");
}

/* Writes to what it has opened, and removes directories in directories that it has opened. */
bool filter_keeper(const int *parents, size_t count)
{
	/* clang-format off */
	struct allowed list[MAX_ALLOWED] = {
		{ SYS_read, ANY, 0 },
		{ SYS_pread64, ANY, 0 },
		{ SYS_pwrite64, ANY, 0 },
		{ SYS_sendto, ANY, 0 },
#ifdef SYS_poll
		{ SYS_poll, ANY, 0 },
#endif
		{ SYS_ppoll, ANY, 0 },
		{ SYS_clock_gettime, ANY, 0 },
		{ SYS_restart_syscall, ANY, 0 },
		{ SYS_exit_group, ANY, 0 },
	};
	/* clang-format on */
	size_t length = 0;

	while (list[length].argument != 0 || list[length].value != 0)
		length++;
	for (size_t i = 0; i < count; i++)
		list[length++] = (struct allowed) { SYS_unlinkat, 0,
						    (uint32_t)parents[i] };
	return install_list(list, length) == 0;
}

void filter_supervisor(const struct side *side, int statm, int tasks)
{
	const uint32_t self = (uint32_t)getpid();
	const struct allowed list[] = {
		{ SYS_ioctl, 1, (uint32_t)SECCOMP_IOCTL_NOTIF_RECV },
		{ SYS_ioctl, 1, (uint32_t)SECCOMP_IOCTL_NOTIF_SEND },
		{ SYS_ioctl, 1, (uint32_t)SECCOMP_IOCTL_NOTIF_ID_VALID },
		{ SYS_process_vm_readv, ANY, 0 },
#ifdef SYS_poll
		{ SYS_poll, ANY, 0 },
#endif
		{ SYS_ppoll, ANY, 0 },
		{ SYS_sendto, ANY, 0 },
		{ SYS_recvmsg, ANY, 0 },
		{ SYS_read, ANY, 0 },
		{ SYS_pread64, 0, (uint32_t)statm },
		{ SYS_fstat, 0, (uint32_t)tasks },
		{ SYS_prlimit64, 1, RLIMIT_DATA },
		{ SYS_prlimit64, 1, RLIMIT_NOFILE },
		{ SYS_shutdown, 0, (uint32_t)side->init_socket },
		{ SYS_shutdown, 0, (uint32_t)side->keeper },
		{ SYS_close, ANY, 0 },
		{ SYS_clock_gettime, ANY, 0 },
		{ SYS_pidfd_send_signal, 0, (uint32_t)side->init_pidfd },
		{ SYS_wait4, ANY, 0 },
		{ SYS_getrusage, ANY, 0 },
		{ SYS_rt_sigaction, ANY, 0 },
		{ SYS_rt_sigprocmask, ANY, 0 },
		{ SYS_restart_syscall, ANY, 0 },
		{ SYS_getpid, ANY, 0 },
		{ SYS_kill, 0, self },
		{ SYS_exit_group, ANY, 0 },
	};

	if (install_list(list, sizeof(list) / sizeof(*list)) != 0)
		fail(side, STAGE_SECCOMP,
		     "install the filter of the supervisor", "");
}
