/** The charts, in a file of their own, which is loaded when one is seen. */
import { BarChart, LineChart } from 'echarts/charts'
import { GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import type { Figure } from './types'

use([BarChart, LineChart, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, CanvasRenderer])

export interface Chart {
  show(days: Figure[]): void
  resize(): void
  close(): void
}

const INK = '#4a5a5a'

/** A chart of the days: consultations as bars, the mean answer time as a line against its target. */
export function drawDays(frame: HTMLElement): Chart {
  const chart = init(frame)
  return {
    show: (days) =>
      chart.setOption(
        {
          animation: false,
          textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: INK },
          grid: { left: 48, right: 56, top: 40, bottom: 30 },
          legend: { top: 4, textStyle: { color: INK, fontSize: 14 } },
          // Drawn into the canvas: the content policy lets no markup with styles in.
          tooltip: { trigger: 'axis', renderMode: 'richText', confine: true },
          xAxis: { type: 'category', data: days.map((day) => day.key.slice(5)), axisLabel: { color: INK } },
          yAxis: [
            { type: 'value', name: '例', minInterval: 1, axisLabel: { color: INK }, nameTextStyle: { color: INK } },
            { type: 'value', name: '分钟', axisLabel: { color: INK }, nameTextStyle: { color: INK }, splitLine: { show: false } },
          ],
          series: [
            { type: 'bar', name: '会诊数', data: days.map((day) => day.asked), itemStyle: { color: '#5aa38c' }, barMaxWidth: 28 },
            {
              type: 'line',
              name: '平均应答（分钟）',
              yAxisIndex: 1,
              data: days.map((day) => (day.mean_minutes === null ? null : Number(day.mean_minutes.toFixed(1)))),
              itemStyle: { color: '#a05a00' },
              symbolSize: 7,
              markLine: {
                silent: true,
                symbol: 'none',
                lineStyle: { color: '#a82a22', type: 'dashed' },
                label: { formatter: '目标 15', color: '#a82a22', position: 'insideEndTop' },
                data: [{ yAxis: 15 }],
              },
            },
          ],
        },
        { notMerge: true },
      ),
    resize: () => chart.resize(),
    close: () => chart.dispose(),
  }
}
