/*
 * Runs a seccomp filter as the kernel does, for a trace: there the kernel
 * hands every call to the supervisor, and the guest's own filter decides here.
 * It looks at registers alone, which the kernel takes again as they are when
 * the call goes on.
 */
#include <linux/seccomp.h>
#include <string.h>

#include "launch.h"

static uint32_t load(const struct seccomp_data *data, uint32_t offset)
{
	uint32_t word;

	memcpy(&word, (const char *)data + offset, sizeof(word));
	return word;
}

/* What is no instruction of src/bpf.ts, and what leads nowhere, kills. */
uint32_t run_filter(const struct sock_fprog *program,
		    const struct seccomp_data *data)
{
	uint32_t word = 0;

	for (size_t at = 0; at < program->len; at++) {
		const struct sock_filter *step = &program->filter[at];
		bool holds = false;

		switch (step->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (step->k > sizeof(*data) - sizeof(word))
				return SECCOMP_RET_KILL_PROCESS;
			word = load(data, step->k);
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			word &= step->k;
			continue;
		case BPF_RET | BPF_K:
			return step->k;
		case BPF_JMP | BPF_JEQ | BPF_K:
			holds = word == step->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			holds = word >= step->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			holds = (word & step->k) != 0;
			break;
		default:
			return SECCOMP_RET_KILL_PROCESS;
		}
		at += holds ? step->jt : step->jf;
	}
	return SECCOMP_RET_KILL_PROCESS;
}
