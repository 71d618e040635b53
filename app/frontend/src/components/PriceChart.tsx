import { Area, AreaChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import { dollars } from '../money';
import type { PriceHistory } from '../api/types';

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

const HALF_MINUTE = 30_000;

interface Point {
  time: number;
  /** For the height in the drawing alone. */
  height: number;
  price: string;
}

function PointTooltip({
  active,
  payload,
}: {
  active?: boolean;
  payload?: readonly { payload: Point }[];
}) {
  const point = payload?.[0]?.payload;
  if (!active || !point) return null;
  return (
    <div className="tooltip">
      <strong>{dollars(point.price)}</strong> {clock.format(point.time)}
    </div>
  );
}

export default function PriceChart({ history }: { history: PriceHistory }) {
  const points: Point[] = history.points.map(({ at, price }) => ({
    time: Date.parse(at),
    height: Number(price),
    price,
  }));
  const minutes = Math.round((points.length * history.interval) / 60);
  return (
    <figure className="chart">
      <figcaption>
        <span>Price of a coin</span>
        <strong data-testid="price">{dollars(history.price)}</strong>
        <span className="quiet">last {minutes} min</span>
      </figcaption>
      <ResponsiveContainer width="100%" height={232}>
        <AreaChart
          data={points}
          margin={{ top: 8, right: 0, bottom: 0, left: 0 }}
          title="Price of a coin over time"
        >
          <XAxis
            dataKey="time"
            type="number"
            domain={['dataMin', 'dataMax']}
            ticks={points.map(({ time }) => time).filter((time) => time % HALF_MINUTE === 0)}
            tickFormatter={(time: number) => clock.format(time)}
            minTickGap={32}
            tickLine={false}
          />
          <YAxis
            dataKey="height"
            domain={['auto', 'auto']}
            orientation="right"
            width={60}
            tickCount={4}
            tickFormatter={(height: number) => dollars(height.toFixed(2))}
            axisLine={false}
            tickLine={false}
          />
          <Tooltip content={<PointTooltip />} isAnimationActive={false} />
          <Area
            dataKey="height"
            type="monotone"
            className="price-line"
            isAnimationActive={false}
            activeDot={{ r: 4 }}
          />
        </AreaChart>
      </ResponsiveContainer>
    </figure>
  );
}
