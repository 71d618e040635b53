import type { ReactNode } from 'react';

function Icon({ children }: { children: ReactNode }) {
  return (
    <svg
      className="icon"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const Logo = () => (
  <svg className="logo" viewBox="0 0 32 32" aria-hidden="true">
    <path className="logo-body" d="M16 1 29 8.5v15L16 31 3 23.5v-15z" />
    <path className="logo-letter" d="M12 9.5v13M20.5 9.5 12.5 16l8 6.5" />
  </svg>
);

export const BrowserIcon = () => (
  <Icon>
    <rect x="3" y="4.5" width="18" height="15" rx="2" />
    <path d="M3 9h18M6 6.8h.01M8.5 6.8h.01" />
  </Icon>
);

export const FrontendIcon = () => (
  <Icon>
    <rect x="3" y="4" width="18" height="7" rx="1.5" />
    <rect x="3" y="13" width="18" height="7" rx="1.5" />
    <path d="M6.5 7.5h.01M6.5 16.5h.01" />
  </Icon>
);

export const BackendIcon = () => (
  <Icon>
    <path d="m8.5 7.5-5 4.5 5 4.5M15.5 7.5l5 4.5-5 4.5M13.2 5.5l-2.4 13" />
  </Icon>
);

export const DatabaseIcon = () => (
  <Icon>
    <ellipse cx="12" cy="5.5" rx="7.5" ry="2.8" />
    <path d="M4.5 5.5v13c0 1.5 3.4 2.8 7.5 2.8s7.5-1.3 7.5-2.8v-13M4.5 12c0 1.5 3.4 2.8 7.5 2.8s7.5-1.3 7.5-2.8" />
  </Icon>
);

export const VolumeIcon = () => (
  <Icon>
    <rect x="4.5" y="3" width="15" height="18" rx="2" />
    <circle cx="12" cy="10" r="4" />
    <path d="M12 10h.01M14.5 17.5h2" />
  </Icon>
);
