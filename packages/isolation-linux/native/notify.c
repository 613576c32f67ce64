/*
 * One system call of the guest that its filter handed to the supervisor.
 * Until the lock it is continued: only code that the user chose runs. From
 * the lock on it is refused, whatever the guest's memory says by now.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "launch.h"

#ifndef SECCOMP_USER_NOTIF_FLAG_CONTINUE
#define SECCOMP_USER_NOTIF_FLAG_CONTINUE 1
#endif

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1ul
#endif

/* How much of what is written a trace shows. */
#define MAX_DATA 32

/* A later kernel may have longer structs than the headers. */
union request {
	struct seccomp_notif call;
	char room[512];
};

union response {
	struct seccomp_notif_resp answer;
	char room[512];
};

/* Copies the string at an address of the guest. Returns 0 or an errno. */
static int read_path(pid_t pid, uint64_t address, char path[PATH_MAX])
{
	const size_t page = 4096;
	size_t length = 0;

	/* Page by page: a read across the end of a mapping brings nothing. */
	while (length < PATH_MAX - 1) {
		uint64_t from = address + length;
		size_t size = page - from % page;
		struct iovec here = { path + length, 0 };
		struct iovec there = { (void *)(uintptr_t)from, 0 };
		ssize_t got;

		if (size > PATH_MAX - 1 - length)
			size = PATH_MAX - 1 - length;
		here.iov_len = there.iov_len = size;
		got = process_vm_readv(pid, &here, 1, &there, 1, 0);
		if (got <= 0)
			return got < 0 ? errno : EFAULT;
		if (memchr(path + length, '\0', (size_t)got) != NULL)
			return 0;
		length += (size_t)got;
	}
	path[length] = '\0';
	return 0;
}

/* For a trace only: what it writes may be another's by the time that it is read. */
static void read_data(struct call *call, char data[MAX_DATA])
{
	struct iovec here = { data, MAX_DATA };
	struct iovec there = { (void *)(uintptr_t)call->arguments[1],
			       MAX_DATA };
	ssize_t got;

	if (call->number != SYS_write)
		return;
	if (call->arguments[2] < MAX_DATA)
		here.iov_len = there.iov_len = (size_t)call->arguments[2];
	got = process_vm_readv(call->caller, &here, 1, &there, 1, 0);
	if (got <= 0)
		return;
	call->data = data;
	call->data_size = (size_t)got;
}

/* Whether the call still waits: if not, its process id may be somebody else's by now. */
static bool is_waiting(const struct notifier *notifier, uint64_t id)
{
	return ioctl(notifier->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) ==
	       0;
}

static void trace(const struct notifier *notifier, const struct call *call,
		  enum fate fate, int error)
{
	if (notifier->options->trace)
		report_trace(notifier->side->report, call, fate, error);
}

static void send_answer(const struct notifier *notifier, uint64_t id, int error,
			uint32_t flags)
{
	union response response = { 0 };

	response.answer.id = id;
	response.answer.error = -error;
	response.answer.flags = flags;
	/* ENOENT: the guest does not wait any more. */
	if (ioctl(notifier->listener, SECCOMP_IOCTL_NOTIF_SEND,
		  &response.answer) != 0 &&
	    errno != ENOENT)
		fail(notifier->side, STAGE_SUPERVISE, "answer", "the guest");
}

static void answer(const struct notifier *notifier, const struct call *call,
		   int error, uint32_t flags)
{
	send_answer(notifier, call->id, error, flags);
	trace(notifier, call, error == 0 ? FATE_DONE : FATE_FAILED, error);
}

/* A supervisor who cannot read would never see the lock. */
static _Noreturn void fail_to_read(const struct notifier *notifier, int error)
{
	errno = error;
	fail(notifier->side, STAGE_SUPERVISE, "read the memory of",
	     "the guest");
}

/*
 * What nothing would end with the supervisor: without a process namespace
 * that is another process of the guest's, and a guest that cancels its death.
 */
static bool would_outlive(const struct call *call)
{
	switch (call->number) {
#ifdef SYS_fork
	case SYS_fork:
	case SYS_vfork:
		return true;
#endif
	case SYS_clone:
		return (call->arguments[0] & CLONE_THREAD) == 0;
	case SYS_prctl:
		return (uint32_t)call->arguments[0] == PR_SET_PDEATHSIG;
	default:
		return false;
	}
}

static enum verdict answer_unlocked(struct notifier *notifier,
				    const struct rule *rule,
				    const struct call *call)
{
	if ((rule->flags & RULE_LOCKS) != 0 && call->path != NULL &&
	    strcmp(call->path, notifier->options->lock_path) == 0) {
#ifndef WITHOUT_LOCK
		notifier->locked = true;
#endif
		notifier->lock_call = call->id;
		trace(notifier, call, FATE_LOCKED, ENOENT);
		return VERDICT_LOCKED;
	}
	if (notifier->is_alone && would_outlive(call)) {
		answer(notifier, call, EPERM, 0);
		return VERDICT_ANSWERED;
	}
	notifier->continued++;
	answer(notifier, call, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
	return VERDICT_ANSWERED;
}

static enum verdict answer_locked(const struct notifier *notifier,
				  const struct rule *rule,
				  const struct call *call)
{
	struct report *report = notifier->side->report;

	if ((rule->flags & RULE_LOOKS) != 0 && call->path != NULL &&
	    is_harmless(notifier->plan, call->path)) {
		answer(notifier, call, rule->quiet_error, 0);
		return VERDICT_ANSWERED;
	}
	if ((rule->flags & RULE_VIOLATION) == 0) {
		answer(notifier, call, rule->error, 0);
		return VERDICT_ANSWERED;
	}
	if (notifier->options->kill) {
		trace(notifier, call, FATE_KILLED, 0);
		report_violation(report, call, true);
		return VERDICT_KILL;
	}
	answer(notifier, call, rule->error, 0);
	report_violation(report, call, false);
	return VERDICT_ANSWERED;
}

/* The filter would let it start a thread. */
static enum verdict answer_thread(struct notifier *notifier,
				  const struct call *call)
{
	if (let_thread_start(&notifier->crowd, call->caller))
		answer(notifier, call, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
	else
		answer(notifier, call, EAGAIN, 0);
	return VERDICT_ANSWERED;
}

/* What the kernel does by itself when nothing is traced, nor counted. */
static enum verdict answer_as_filter(struct notifier *notifier,
				     struct call *call, uint32_t action)
{
	char data[MAX_DATA];

	if (action == SECCOMP_RET_ALLOW && call->number == SYS_clone &&
	    notifier->crowd.tasks >= 0)
		return answer_thread(notifier, call);

	switch (action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
		read_data(call, data);
		answer(notifier, call, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
		return VERDICT_ANSWERED;
	case SECCOMP_RET_ERRNO:
		answer(notifier, call, (int)(action & SECCOMP_RET_DATA), 0);
		return VERDICT_ANSWERED;
	default:
		trace(notifier, call, FATE_KILLED, 0);
		return VERDICT_KILL;
	}
}

/* Until the lock every path is as good as any other but that of the lock. */
static bool is_path_asked_for(const struct notifier *notifier,
			      const struct rule *rule)
{
	return notifier->locked || notifier->options->trace ||
	       (rule->flags & RULE_LOCKS) != 0;
}

enum verdict answer_call(struct notifier *notifier)
{
	union request request = { 0 };
	const struct rule *rule;
	char path[PATH_MAX];
	struct call call = { 0 };

	if (ioctl(notifier->listener, SECCOMP_IOCTL_NOTIF_RECV,
		  &request.call) != 0) {
		/* The caller was killed between poll() and now. */
		if (errno == ENOENT || errno == EINTR)
			return VERDICT_ANSWERED;
		fail(notifier->side, STAGE_SUPERVISE, "receive a call of",
		     "the guest");
	}
	if (notifier->guest == 0) {
		notifier->guest = (pid_t)request.call.pid;
		name_guest(notifier->plan, notifier->is_alone ?
						   notifier->guest :
						   GUEST_PROCESS);
	}
	call.id = request.call.id;
	call.caller = (pid_t)request.call.pid;
	call.number = request.call.data.nr;
	for (int i = 0; i < 6; i++)
		call.arguments[i] = request.call.data.args[i];
	hear_thread(&notifier->crowd, call.caller);
	if (notifier->options->trace || notifier->crowd.tasks >= 0) {
		uint32_t action =
			run_filter(&notifier->plan->filter, &request.call.data);

		if (action != SECCOMP_RET_USER_NOTIF)
			return answer_as_filter(notifier, &call, action);
	}
	rule = find_rule(notifier->plan, call.number, call.arguments);
	if (rule->path != RULE_ANY && is_path_asked_for(notifier, rule)) {
		int error = read_path((pid_t)request.call.pid,
				      call.arguments[rule->path], path);

		if (!is_waiting(notifier, call.id))
			return VERDICT_ANSWERED;
		if (error == 0)
			call.path = path;
		else if ((rule->flags & RULE_LOCKS) != 0 && error != EFAULT)
			fail_to_read(notifier, error);
	}
	return notifier->locked ? answer_locked(notifier, rule, &call) :
				  answer_unlocked(notifier, rule, &call);
}

void answer_lock(const struct notifier *notifier)
{
	send_answer(notifier, notifier->lock_call, ENOENT, 0);
}

void stay_on_one_cpu(int listener)
{
	/* Before 6.6 there is no such flag, and nothing is lost but time. */
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS,
	      SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
}

bool have_room_for_calls(void)
{
	struct seccomp_notif_sizes sizes;

	return syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0 &&
	       sizes.seccomp_notif <= sizeof(union request) &&
	       sizes.seccomp_notif_resp <= sizeof(union response);
}
