import { defineConfig } from 'vitepress'
// Made by typedoc, which docs:build runs first.
import api from '../api/typedoc-sidebar.json' with { type: 'json' }

export default defineConfig({
  title: 'confine-sandbox',
  description: 'Run untrusted code from Node.js in a guest process that the operating system confines',
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Guide', link: '/getting-started' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: [
      {
        text: 'Guide',
        items: [
          { text: 'Getting started', link: '/getting-started' },
          { text: 'Limits', link: '/limits' },
          { text: 'Files, scratch, hardened', link: '/policy' },
        ],
      },
      { text: 'API', collapsed: true, items: api },
    ],
  },
})
