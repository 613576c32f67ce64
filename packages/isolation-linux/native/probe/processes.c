/* How one process handles another, and its own descriptors. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

void close_descriptors(struct trial *trial)
{
	/* Everything but 0, 1 and 2, of which this process needs nothing. */
	if (syscall(SYS_close_range, 3, ~0u, 0) != 0)
		give_up(trial, "close_range");
}

/* A pidfd as the launcher gets it: from clone(), which older kernels ignore. */
static void clone_with_pidfd(struct trial *trial)
{
	int pidfd = -1;
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL,
				   &pidfd, NULL, NULL);

	if (pid < 0)
		give_up(trial, "clone");
	if (pid == 0)
		_exit(0);
	if (waitpid(pid, NULL, 0) != pid)
		give_up(trial, "wait");
	if (pidfd < 0)
		give_up_for(trial, "clone", ENOSYS);
	close(pidfd);
}

void signal_by_pidfd(struct trial *trial, pid_t sleeper)
{
	int pidfd = (int)syscall(SYS_pidfd_open, sleeper, 0);

	if (pidfd < 0)
		give_up(trial, "pidfd_open");
	if (syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) != 0)
		give_up(trial, "pidfd_send_signal");
	close(pidfd);
	clone_with_pidfd(trial);
}

void read_memory(struct trial *trial, pid_t sleeper)
{
	/* At the same place in the sleeper, which is a copy of this process. */
	static const char here[] = "confine";
	char copy[sizeof(here)];
	struct iovec to = { copy, sizeof(copy) };
	struct iovec from = { (void *)here, sizeof(here) };

	if (process_vm_readv(sleeper, &to, 1, &from, 1, 0) != sizeof(here))
		give_up(trial, "process_vm_readv");
}

void trace(struct trial *trial, pid_t sleeper)
{
	int status;

	if (ptrace(PTRACE_SEIZE, sleeper, NULL, NULL) != 0)
		give_up(trial, "seize");
	if (ptrace(PTRACE_INTERRUPT, sleeper, NULL, NULL) != 0)
		give_up(trial, "interrupt");
	if (waitpid(sleeper, &status, __WALL) != sleeper || !WIFSTOPPED(status))
		give_up_for(trial, "stop", 0);
}
