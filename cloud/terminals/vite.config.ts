import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Two pages that share their chunks; the cloud serves `dist` from its root. */
export default defineConfig({
  root: here('.'),
  base: '/',
  plugins: [react()],
  build: {
    // The largest is the chart's, which is loaded when the first chart is shown.
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'react', test: /node_modules\/(react|react-dom|scheduler)\// },
            { name: 'language', test: /node_modules\/(react-intl|@formatjs|intl-messageformat)\// },
            { name: 'chart', test: /node_modules\/(echarts|zrender)\// },
            { name: 'mantine', test: /node_modules\/@mantine\/(core|hooks)\// },
          ],
        },
      },
      input: { company: here('company/index.html'), customer: here('customer/index.html') },
    },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8080' } },
});
