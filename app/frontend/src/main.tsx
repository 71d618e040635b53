import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import { openRemembered } from './route';
import './styles/index.css';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');

openRemembered();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
