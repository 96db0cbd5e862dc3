/** Offtake's mark: a bin and what is left in it. */
export function Mark({ size }: { readonly size: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#0b6e6e" />
      <g fill="none" strokeWidth="2.6" strokeLinecap="round" strokeLinejoin="round">
        <path d="M7 9v14h18V9" stroke="#fff" />
        <path d="M11 19h10M11 14.5h6" stroke="#8ff0dc" />
      </g>
    </svg>
  );
}
