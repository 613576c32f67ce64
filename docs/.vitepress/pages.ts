import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The guide, in reading order. Each page's first heading is its title. test/site.test.ts asserts that none is missing. */
export const guide: readonly { readonly text: string; readonly pages: readonly string[] }[] = [
  { text: 'Start', pages: ['getting-started', 'concepts', 'projects', 'command'] },
  {
    text: 'Guide',
    pages: ['globals', 'calls', 'values-and-streams', 'policy', 'limits', 'isolation-tiers', 'macos', 'errors', 'pool', 'observability'],
  },
  { text: 'Runtimes', pages: ['runtimes', 'modules', 'writing-a-runtime'] },
  { text: 'Backends and channels', pages: ['backends', 'channels'] },
  {
    text: 'Recipes',
    pages: ['recipes/plug-ins', 'recipes/http-server', 'recipes/workflow-steps', 'recipes/language-model-code', 'recipes/user-formulas'],
  },
  { text: 'Migrating', pages: ['migrating-from-vm2', 'migrating-from-isolated-vm', 'migrating-from-0.3'] },
  { text: 'Trust', pages: ['threat-model', 'outside-the-guest', 'protocol', 'performance', 'decisions'] },
]

/** The guide as VitePress takes a sidebar. */
export function guideSidebar(): { text: string; items: { text: string; link: string }[] }[] {
  const groups = guide.map(({ text, pages }) => ({
    text,
    items: pages.filter((page) => existsSync(fileOf(page))).map((page) => ({ text: titleOf(page), link: `/${page}` })),
  }))
  return groups.filter(({ items }) => items.length > 0)
}

function titleOf(page: string): string {
  return /^# (.+)$/m.exec(readFileSync(fileOf(page), 'utf8'))?.[1]?.replaceAll('`', '') ?? page
}

function fileOf(page: string): string {
  return fileURLToPath(new URL(`../${page}.md`, import.meta.url))
}
