import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [react()],
  server: {
    proxy: { '/api': 'http://localhost:5000' },
  },
  build: {
    // The Content-Security-Policy allows no data: URLs.
    assetsInlineLimit: 0,
  },
  test: {
    environment: 'jsdom',
    environmentOptions: { jsdom: { url: 'http://exchange.test/' } },
    setupFiles: './src/test/setup.ts',
    restoreMocks: true,
    // Several suites share a machine of few cores.
    testTimeout: 30_000,
  },
});
