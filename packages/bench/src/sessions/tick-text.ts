/** A round value, as short as an axis needs it: 50k, 2M. */
export function tickText(value: number): string {
  if (value >= 1e6) return `${plain(value / 1e6)}M`
  return value >= 1e3 ? `${plain(value / 1e3)}k` : plain(value)
}

/** 100 B, 64 KB. */
export function bytesText(value: number): string {
  return value >= 1_024 ? `${plain(value / 1_024)} KB` : `${value} B`
}

function plain(value: number): string {
  return String(Number(value.toPrecision(3)))
}
