import type { ColumnType, Generated, GeneratedAlways, Insertable, Selectable } from 'kysely';
import type { AgentId, BinId, CustomerId, Epoch, ProductId, SiteId } from '#shared/ids.ts';
import type { GapCause, Quality } from '#shared/reading.ts';
import type { QuantityUnit } from '#shared/units.ts';
import type { DesiredConfig, ReportedConfig } from '#shared/wire/config.ts';
import type { Status } from '#shared/wire/status.ts';

/**
 * The tables of migrations/*.sql as Kysely sees them. `bigint` columns are JS numbers: times, masses
 * and quantities are safe integers. (`sum` of them is `numeric`, which comes back as a string: cast
 * it to bigint.) A reading's quality and the like are trusted on the way out, since only we write.
 */
export interface Tables {
  customer: CustomerTable;
  site: SiteTable;
  product: ProductTable;
  bin: BinTable;
  bin_setup: BinSetupTable;
  agent: AgentTable;
  agent_status: AgentStatusTable;
  agent_configuration: AgentConfigurationTable;
  agent_configuration_report: AgentConfigurationReportTable;
  api_key: ApiKeyTable;
  cursor: CursorTable;
  quarantine: QuarantineTable;
  quarantine_dropped: QuarantineDroppedTable;
  gap: GapTable;
  fold_checkpoint: FoldCheckpointTable;
  movement: MovementTable;
  restatement: RestatementTable;
  rollup: RollupTable;
  bin_stock: BinStockTable;
}

/** Written as JSON text, read back as the value. */
type Json<T> = ColumnType<T, string, string>;

interface CustomerTable {
  id: CustomerId;
  name: string;
}

interface SiteTable {
  id: SiteId;
  /** null for the supplier's own sites */
  customer_id: CustomerId | null;
  name: string;
  time_zone: string;
}

interface ProductTable {
  id: ProductId;
  name: string;
  unit: QuantityUnit;
  piece_mass_mg: number | null;
}

interface BinTable {
  id: BinId;
  site_id: SiteId;
  name: string;
  capacity_mg: number;
}

interface BinSetupTable {
  bin_id: BinId;
  from_ms: number;
  product_id: ProductId;
  tare_mg: number;
  piece_mass_mg: number | null;
}

interface AgentTable {
  id: AgentId;
  site_id: SiteId;
  secret_hash: string;
  created_ms: number;
  /** Of a renewed secret, until it is first used. */
  next_secret_hash: string | null;
  disabled_ms: number | null;
}

interface AgentStatusTable {
  agent_id: AgentId;
  online: boolean;
  session: string;
  at_ms: number;
  body: Json<Status>;
}

interface AgentConfigurationTable {
  agent_id: AgentId;
  version: number;
  config: Json<DesiredConfig['config']>;
  author_key: string;
  author: string;
  at_ms: number;
  note: string;
}

interface AgentConfigurationReportTable {
  agent_id: AgentId;
  version: number;
  state: ReportedConfig['state'];
  in_force: number;
  at_ms: number;
  received_ms: number;
  reason: string | null;
  problems: Json<NonNullable<ReportedConfig['problems']>>;
}

interface ApiKeyTable {
  id: string;
  name: string;
  secret_hash: string;
  role: 'supplier' | 'customer' | 'technician';
  customer_id: CustomerId | null;
  created_ms: number;
  revoked_ms: number | null;
}

interface CursorTable {
  agent_id: AgentId;
  epoch: Epoch;
  seq: number;
  at_ms: number;
}

interface QuarantineTable {
  id: Generated<number>;
  agent_id: AgentId;
  received_ms: number;
  epoch: string | null;
  seq: number | null;
  row_index: number | null;
  reason: string;
  payload: Uint8Array;
  digest: string;
  times: Generated<number>;
  /** Made by the database of reason and payload. */
  kind: GeneratedAlways<string>;
  bytes: GeneratedAlways<number>;
}

interface QuarantineDroppedTable {
  agent_id: AgentId;
  kind: string;
  count: number;
  bytes: number;
  from_ms: number;
  to_ms: number;
}

interface GapTable {
  bin_id: BinId;
  from_ms: number;
  to_ms: number;
  count: number;
  why: GapCause;
}

interface FoldCheckpointTable {
  bin_id: BinId;
  at_ms: number;
  /** What `serializeFold` gave. */
  state: string;
}

interface MovementTable {
  bin_id: BinId;
  ordinal: number;
  revision: number;
  product_id: ProductId;
  from_ms: number;
  at_ms: number;
  kind: 'consumption' | 'refill' | 'unexplained' | 'adjustment';
  quantity: number;
  low: number;
  high: number;
  mass_mg: number;
  confidence_ppm: number;
  closing: number;
  superseded_ms: number | null;
}

interface RestatementTable {
  id: Generated<number>;
  bin_id: BinId;
  revision: number;
  at_ms: number;
  from_ms: number;
  cause: 'late-data' | 'setup-changed' | 'recomputed';
  consumed_before: number;
  consumed_after: number;
  refilled_before: number;
  refilled_after: number;
}

interface RollupTable {
  bin_id: BinId;
  bucket_ms: number;
  product_id: ProductId;
  consumed: number;
  refilled: number;
  unexplained: number;
  adjusted: number;
  exposure_ms: number;
  closing: number | null;
}

interface BinStockTable {
  bin_id: BinId;
  product_id: ProductId;
  at_ms: number;
  quantity: number;
  mass_mg: number;
  quality: Quality;
}

export type Row<Name extends keyof Tables> = Selectable<Tables[Name]>;
export type NewRow<Name extends keyof Tables> = Insertable<Tables[Name]>;
