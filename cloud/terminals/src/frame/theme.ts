import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

const petrol: MantineColorsTuple = [
  '#e6f6f5',
  '#d0eae8',
  '#a3d5d2',
  '#72bfbb',
  '#4aaca7',
  '#309f9a',
  '#1c9893',
  '#08837e',
  '#0b6e6e',
  '#04605d',
];

/** Greys of the dark scheme, with a touch of the primary colour. */
const dark: MantineColorsTuple = [
  '#d3dadd',
  '#b5bfc3',
  '#8d999e',
  '#647176',
  '#3d494d',
  '#2c3538',
  '#212a2d',
  '#1a2124',
  '#14191b',
  '#0e1213',
];

const SANS = [
  'system-ui',
  '-apple-system',
  '"Segoe UI"',
  'Roboto',
  '"Helvetica Neue"',
  '"PingFang SC"',
  '"Microsoft YaHei"',
  '"Noto Sans SC"',
  '"Noto Sans CJK SC"',
  'sans-serif',
].join(', ');

export const theme = createTheme({
  colors: { petrol, dark },
  primaryColor: 'petrol',
  primaryShade: { light: 8, dark: 7 },
  fontFamily: SANS,
  headings: { fontFamily: SANS, fontWeight: '650' },
  defaultRadius: 'md',
  cursorType: 'pointer',
});

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#f5f7f7',
    '--mantine-color-dimmed': '#5b6670',
    '--mantine-color-default-border': '#dfe4e6',
    '--offtake-card': '#ffffff',
    '--offtake-fill': '#0b6e6e',
    '--offtake-low': '#c2410c',
    '--offtake-track': '#e4e9ea',
    '--offtake-stale': '#b0400a',
    '--offtake-hover': '#f2f7f7',
    '--offtake-added': '#d9f3e3',
    '--offtake-removed': '#fde2d8',
  },
  dark: {
    '--mantine-color-body': '#14191b',
    '--mantine-color-dimmed': '#9aa7ad',
    '--mantine-color-default-border': '#2c3538',
    '--offtake-card': '#1a2124',
    '--offtake-fill': '#2fb3ab',
    '--offtake-low': '#f08c4a',
    '--offtake-track': '#2b3437',
    '--offtake-stale': '#f5a25d',
    '--offtake-hover': '#20292c',
    '--offtake-added': '#153a2b',
    '--offtake-removed': '#48261b',
  },
});
