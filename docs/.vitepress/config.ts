import { defineConfig } from 'vitepress'
// Made by typedoc, which docs:build runs first.
import api from '../api/typedoc-sidebar.json' with { type: 'json' }
import { guideSidebar } from './pages.ts'

export default defineConfig({
  title: 'confine-sandbox',
  description: 'Run untrusted code from Node.js in a guest process that the operating system confines',
  lang: 'en',
  cleanUrls: false,
  // The site asks nobody but its own server: fonts, search and pictures are in it.
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: '/icon.svg' }]],
  markdown: {
    config(md) {
      // A block of a file is named behind its language, ```js hello.js, which is read by test/command-lines.test.ts.
      const fence = md.renderer.rules.fence
      md.renderer.rules.fence = (tokens, index, ...rest) => {
        const token = tokens[index]
        const [, language, name] = /^(\w+) ([\w.-]+)$/.exec(token?.info ?? '') ?? []
        if (token === undefined || language === undefined || name === undefined) return fence?.(tokens, index, ...rest) ?? ''
        token.info = language
        return `<div class="file-name">${md.utils.escapeHtml(name)}</div>${fence?.(tokens, index, ...rest) ?? ''}`
      }
    },
  },
  themeConfig: {
    logo: '/icon.svg',
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Guide', link: '/getting-started' },
      { text: 'Threat model', link: '/threat-model' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: [...guideSidebar(), { text: 'API', collapsed: true, items: api }],
    docFooter: { prev: 'Before', next: 'Next' },
  },
})
