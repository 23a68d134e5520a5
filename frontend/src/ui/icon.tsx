/** Line icons on a grid of 20; the text beside them says the same, so they are hidden from readers of the screen. */
const PATHS = {
  overview: 'M3 10.5 10 4l7 6.5M5 9v7h10V9M8.5 16v-4h3v4',
  key: 'M12.5 11a4 4 0 1 0-3.6-2.2L3.5 14.2V17h2.8v-2h2v-2h2l.6-.6M13.3 6.8h.01',
  chart: 'M3.5 3.5v13h13M7 13.5v-4M10.5 13.5v-7M14 13.5V10',
  list: 'M7 5.5h9.5M7 10h9.5M7 14.5h9.5M3.5 5.5h.01M3.5 10h.01M3.5 14.5h.01',
  card: 'M3 6.5A1.5 1.5 0 0 1 4.5 5h11A1.5 1.5 0 0 1 17 6.5v7a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 3 13.5zM3 8.5h14M6 12h3',
  cube: 'M10 3l6 3.4v7.2L10 17l-6-3.4V6.4zM4.2 6.5 10 9.8l5.8-3.3M10 9.8V17',
  gear: 'M10 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM10 3v2M10 15v2M3 10h2M15 10h2M5.05 5.05l1.4 1.4M13.55 13.55l1.4 1.4M5.05 14.95l1.4-1.4M13.55 6.45l1.4-1.4',
  profit: 'M3.5 14.5l4-4 3 3 6-7M12.5 6.5h4v4',
  people: 'M7.5 10a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.5zM2.5 16c.4-2.4 2.4-4 5-4s4.6 1.6 5 4M13 4.8a2.6 2.6 0 0 1 0 5M14.5 12.3c1.7.5 2.8 1.8 3 3.7',
  mail: 'M3 5.5h14v9.5H3zM3.5 6l6.5 5 6.5-5',
  user: 'M10 10a3.25 3.25 0 1 0 0-6.5 3.25 3.25 0 0 0 0 6.5zM4 16.5c.5-2.7 2.9-4.3 6-4.3s5.5 1.6 6 4.3',
  vault: 'M4 4h12v11H4zM10 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM6 15v2M14 15v2M10 7v1',
  tag: 'M3.5 10.5v-6a1 1 0 0 1 1-1h6l6.5 6.5-7 7zM7 7h.01',
  pulse: 'M2.5 10.5h3.5l2-5 3.5 9 2-4h4',
  book: 'M10 5.5C8.5 4.3 6.3 4 3.5 4v11c2.8 0 5 .3 6.5 1.5 1.5-1.2 3.7-1.5 6.5-1.5V4c-2.8 0-5 .3-6.5 1.5zM10 5.5v11',
  copy: 'M7.5 7.5h8v8h-8zM5 12.5H4.5v-8h8V5',
  check: 'M4.5 10.5l3.5 3.5 7.5-8',
  close: 'M5.5 5.5l9 9M14.5 5.5l-9 9',
  dots: 'M5 10.5a.5.5 0 1 0 0-1 .5.5 0 0 0 0 1zM10 10.5a.5.5 0 1 0 0-1 .5.5 0 0 0 0 1zM15 10.5a.5.5 0 1 0 0-1 .5.5 0 0 0 0 1z',
  menu: 'M3.5 6h13M3.5 10h13M3.5 14h13',
  sun: 'M10 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM10 3v1.5M10 15.5V17M3 10h1.5M15.5 10H17M5.05 5.05l1.06 1.06M13.89 13.89l1.06 1.06M5.05 14.95l1.06-1.06M13.89 6.11l1.06-1.06',
  moon: 'M16 11.8A6.5 6.5 0 0 1 8.2 4a6.5 6.5 0 1 0 7.8 7.8z',
  screen: 'M3.5 4.5h13v9h-13zM7.5 16.5h5M10 13.5v3',
  down: 'M6 8l4 4 4-4',
  up: 'M6 12l4-4 4 4',
  right: 'M8 6l4 4-4 4',
  left: 'M12 6l-4 4 4 4',
  plus: 'M10 4.5v11M4.5 10h11',
  warning: 'M10 4l7 12H3zM10 8.5v3.5M10 14h.01',
  search: 'M9 14a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM12.7 12.7l3.8 3.8',
  download: 'M10 3.5v9M6.5 9l3.5 3.5L13.5 9M4 16h12',
  print: 'M6 8V3.5h8V8M6 13.5H4V8h12v5.5h-2M6 11.5h8v5H6z',
  out: 'M8 4.5H4.5v11H8M11.5 6.5 15 10l-3.5 3.5M15 10H8',
  play: 'M6.5 4.5v11l9-5.5z',
  stop: 'M6 6h8v8H6z',
  external: 'M11 4h5v5M16 4l-7 7M13.5 11.5V16H4V6.5h4.5',
  eye: 'M2.5 10s2.8-5 7.5-5 7.5 5 7.5 5-2.8 5-7.5 5-7.5-5-7.5-5zM10 12.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z',
  eyeOff: 'M3 3l14 14M8 5.3A7 7 0 0 1 10 5c4.7 0 7.5 5 7.5 5a13 13 0 0 1-2.3 2.8M12.2 14.5A7 7 0 0 1 10 15c-4.7 0-7.5-5-7.5-5a13 13 0 0 1 3.2-3.5',
  edit: 'M4 16l.7-3.3L13 4.4l2.6 2.6-8.3 8.3zM11.5 6l2.5 2.5',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, className = 'size-5' }: { name: IconName; className?: string }) {
  return (
    <svg
      viewBox="0 0 20 20"
      className={`shrink-0 ${className}`}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}
