/* What a process takes from itself: privileges to come, files, system calls. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"
#include "probe.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif

#define CREATE_RULESET_VERSION 1
#define FS_READ_DIR (1ull << 3)

void forbid_new_privileges(struct trial *trial)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		give_up(trial, "set");
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		give_up_for(trial, "keep", 0);
}

/* Forbids itself to list any directory. Value: the ABI. landlock(7) */
void restrict_files(struct trial *trial)
{
	const uint64_t handled = FS_READ_DIR;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   CREATE_RULESET_VERSION);
	int ruleset;

	if (abi < 1)
		give_up(trial, "version");
	trial->value = abi;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled,
			       sizeof(handled), 0);
	if (ruleset < 0)
		give_up(trial, "create");
	forbid_new_privileges(trial);
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		give_up(trial, "restrict");
	close(ruleset);
	if (open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0 ||
	    errno != EACCES)
		give_up_for(trial, "enforce", 0);
}

int install_filter(struct trial *trial, unsigned int flags, uint32_t action)
{
	struct sock_filter instructions[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, GUINEA_PIG, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {
		sizeof(instructions) / sizeof(*instructions),
		instructions,
	};
	int result;

	forbid_new_privileges(trial);
	result = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags,
			      &program);
	if (result < 0)
		give_up(trial, "install");
	return result;
}

void filter_call(struct trial *trial)
{
	install_filter(trial, 0, SECCOMP_RET_ERRNO | PLANTED_ERROR);
	if (syscall(GUINEA_PIG, 0) != -1 || errno != PLANTED_ERROR)
		give_up_for(trial, "enforce", 0);
}
