/** The surveillance's charts, in a file of their own, which is loaded when one is seen. */
import { BarChart, LineChart, ScatterChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TooltipComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { LabelLayout } from 'echarts/features'
import { CanvasRenderer } from 'echarts/renderers'
import { countSaid, middle, sharedCounty, type Area, type Counts, type DayCount } from './surveillance'

use([BarChart, LineChart, ScatterChart, GridComponent, LegendComponent, TooltipComponent, LabelLayout, CanvasRenderer])

export interface Chart {
  show(counts: Counts): void
  resize(): void
  close(): void
}

export type Drawing = (frame: HTMLElement, choose: (area: string) => void) => Chart

const INK = '#4a5a5a'
const EXACT = '#3f8f77'
const VAGUE = '#b9d8cd'
const ALARM = '#a82a22'
const LARGEST = 56
const SMALLEST = 14
// A degree of longitude against one of latitude, in pixels, at the latitudes of a county.
const RADIANS = Math.PI / 180

function common() {
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: INK },
    // Drawn into the canvas: the content policy lets no markup with styles in.
    tooltip: { renderMode: 'richText' as const, confine: true },
  }
}

/** The days of one area: counts as bars (pale where only a range is shown), the usual range behind, alarms above. */
export const drawCurve: Drawing = (frame) => {
  const chart = init(frame)
  return {
    show: ({ days }) =>
      chart.setOption(
        {
          ...common(),
          grid: { left: 40, right: 16, top: 64, bottom: 30 },
          legend: { top: 4, left: 0, textStyle: { color: INK, fontSize: 14 }, itemGap: 14 },
          tooltip: {
            ...common().tooltip,
            trigger: 'axis',
            formatter: (shown: unknown) => {
              const at = (shown as { dataIndex: number }[])[0]?.dataIndex ?? 0
              const day = days[at]
              return day ? `${day.day}\n${countSaid(day.count)}${day.bound === null ? '' : `\n平时不超过 ${Math.floor(day.bound)} 例`}` : ''
            },
          },
          xAxis: { type: 'category', data: days.map((day) => day.day.slice(5)), axisLabel: { color: INK, hideOverlap: true } },
          yAxis: { type: 'value', minInterval: 1, axisLabel: { color: INK } },
          series: [
            {
              type: 'line',
              name: '平时的范围',
              data: days.map((day) => day.bound),
              step: 'middle',
              symbol: 'none',
              lineStyle: { color: '#8a6a1f', type: 'dashed', width: 1.5 },
              itemStyle: { color: '#f5e7c4', borderColor: '#8a6a1f' },
              areaStyle: { color: '#f5e7c4', opacity: 0.55 },
              z: 1,
            },
            { type: 'bar', name: '病例', stack: 'cases', data: bars(days, true), itemStyle: { color: EXACT }, barMaxWidth: 22 },
            { type: 'bar', name: '约数', stack: 'cases', data: bars(days, false), itemStyle: { color: VAGUE }, barMaxWidth: 22 },
            {
              type: 'scatter',
              name: '预警',
              symbol: 'triangle',
              symbolSize: 13,
              symbolOffset: [0, -12],
              itemStyle: { color: ALARM },
              data: days.map((day) => (day.alarmed && day.count ? middle(day.count) : null)),
            },
          ],
        },
        { notMerge: true },
      ),
    resize: () => chart.resize(),
    close: () => chart.dispose(),
  }
}

/** The days whose count is shown exactly, or those of which a range alone is. */
function bars(days: DayCount[], exact: boolean): (number | null)[] {
  return days.map((day) => (day.count && (day.count.low === day.count.high) === exact ? middle(day.count) : null))
}

type Placed = Area & { latitude: number; longitude: number }

/** The areas where their institutions lie, larger with more cases; no borders, for there are none that we may use. */
export const drawMap: Drawing = (frame, choose) => {
  const chart = init(frame)
  let placed: Placed[] = []
  let shown: Counts | null = null
  chart.on('click', ({ dataIndex }) => {
    const area = placed[dataIndex]
    if (area) choose(area.key)
  })
  const draw = () => {
    if (!shown) return
    placed = shown.areas.filter((area): area is Placed => area.latitude !== null && area.longitude !== null)
    const most = Math.max(1, ...placed.map((area) => (area.count ? middle(area.count) : 0)))
    const size = (area: Placed) => Math.max(SMALLEST, LARGEST * Math.sqrt((area.count ? middle(area.count) : 0) / most))
    const [x, y] = axes(placed, frame)
    const county = sharedCounty(placed.map((area) => area.name))
    chart.setOption(
      {
        ...common(),
        grid: { left: 8, right: 8, top: 8, bottom: 8 },
        tooltip: { ...common().tooltip, formatter: (at: unknown) => said(placed[(at as { dataIndex: number }).dataIndex]) },
        xAxis: { type: 'value', show: false, ...x },
        yAxis: { type: 'value', show: false, ...y },
        series: [
          {
            type: 'scatter',
            data: placed.map((area) => ({
              value: [area.longitude, area.latitude],
              symbolSize: size(area),
              itemStyle: {
                color: area.alarms ? ALARM : EXACT,
                opacity: area.key === shown?.area ? 1 : 0.75,
                borderColor: '#12312a',
                borderWidth: area.key === shown?.area ? 3 : 0,
              },
            })),
            label: {
              show: true,
              position: 'bottom',
              color: '#1b2a2a',
              fontSize: 13,
              lineHeight: 17,
              align: 'center',
              formatter: ({ dataIndex }: { dataIndex: number }) => {
                const area = placed[dataIndex]
                return area ? `${area.name.slice(county.length)}\n${countSaid(area.count)}` : ''
              },
            },
            labelLayout: { moveOverlap: 'shiftY' },
          },
        ],
      },
      { notMerge: true },
    )
  }
  return {
    show: (counts) => {
      shown = counts
      draw()
    },
    resize: () => {
      chart.resize()
      draw()
    },
    close: () => chart.dispose(),
  }
}

function said(area: Placed | undefined): string {
  if (!area) return ''
  return `${area.name}\n${countSaid(area.count)}${area.alarms ? `\n${area.alarms}天有预警` : ''}`
}

/** Bounds of both axes with one scale, so that distances are as they are, and room for circles and names at the edge. */
function axes(placed: Placed[], frame: HTMLElement): [{ min: number; max: number }, { min: number; max: number }] {
  const east = placed.map((area) => area.longitude)
  const north = placed.map((area) => area.latitude)
  const [x, y] = [centre(east), centre(north)]
  const narrowing = Math.cos(y * RADIANS)
  const [width, height] = [Math.max(frame.clientWidth - 120, 60), Math.max(frame.clientHeight - 130, 60)]
  const degreesAPixel = Math.max((across(east) * narrowing) / width, across(north) / height, 0.0002)
  const [halfWidth, halfHeight] = [((frame.clientWidth - 16) / 2) * degreesAPixel, ((frame.clientHeight - 16) / 2) * degreesAPixel]
  return [
    { min: x - halfWidth / narrowing, max: x + halfWidth / narrowing },
    { min: y - halfHeight, max: y + halfHeight },
  ]
}

function centre(held: number[]): number {
  return held.length ? (Math.min(...held) + Math.max(...held)) / 2 : 0
}

function across(held: number[]): number {
  return held.length ? Math.max(...held) - Math.min(...held) : 0
}
