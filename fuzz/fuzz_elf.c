// SPDX-License-Identifier: Apache-2.0
/* A hostile program under the static helper: it is read, walked, and told of, or refused. */
#include <stdlib.h>
#include <string.h>

#include "cli/static_graph.h"
#include "cli/static_sweep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct graph g;
	struct graph_place via[GRAPH_VIA];
	struct elf_file *f = NULL;
	struct err err = ERR_INIT;
	char *bytes = malloc(size + 1);

	if (!bytes)
		return 0;
	memcpy(bytes, data, size);
	bytes[size] = '\0';
	if (elf_parse("fuzz", bytes, size, &f, &err) < 0)
		return 0;
	if (!f->has_symbols && !f->has_frames && sweep(f, &err) < 0) {
		elf_free(f);
		return 0;
	}
	(void)graph_of_file(&g, f, &err);
	if (graph_walk(&g, &err) == 0) {
		for (unsigned nr = 0; nr < GRAPH_CALLS; nr++) {
			if (g.calls[nr].n > 0)
				(void)graph_via(&g, &g.calls[nr].place[0], via);
		}
	}
	graph_done(&g);
	return 0;
}
