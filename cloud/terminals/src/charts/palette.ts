/** Okabe and Ito's colours, which most kinds of colour vision tell apart, as ours. */
export const PALETTE = {
  light: ['#0b6e6e', '#e08b00', '#3d7fc4', '#b0428f', '#6a9a1f', '#c8501e', '#7a5cc2', '#8a8f94'],
  dark: ['#2fb3ab', '#f0b14a', '#6fa8e8', '#dc7fc0', '#9ccc4e', '#f08657', '#a990ec', '#9aa3a9'],
} as const;

export type Scheme = keyof typeof PALETTE;

const INK = {
  light: { text: '#3b464c', faint: '#dfe4e6', card: '#ffffff' },
  dark: { text: '#c3ccd0', faint: '#2c3538', card: '#1a2124' },
} as const;

/** The look of every chart, as an ECharts theme. */
export function chartTheme(scheme: Scheme) {
  const { text, faint, card } = INK[scheme];
  const axis = {
    axisLine: { lineStyle: { color: faint } },
    axisTick: { lineStyle: { color: faint } },
    axisLabel: { color: text },
    splitLine: { lineStyle: { color: faint } },
    nameTextStyle: { color: text },
  };
  return {
    color: [...PALETTE[scheme]],
    backgroundColor: 'transparent',
    textStyle: { color: text },
    legend: { textStyle: { color: text }, pageTextStyle: { color: text } },
    tooltip: { backgroundColor: card, borderColor: faint, textStyle: { color: text } },
    categoryAxis: { ...axis, splitLine: { show: false } },
    valueAxis: { ...axis, axisLine: { show: false } },
    timeAxis: { ...axis, splitLine: { show: false } },
  };
}
