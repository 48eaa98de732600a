// Original file: proto/novaedge.proto


export interface RetryBudget {
  'percent'?: (number);
  'intervalMs'?: (number);
  'minPerSecond'?: (number);
}

export interface RetryBudgetDecoded {
  'percent': (number);
  'intervalMs': (number);
  'minPerSecond': (number);
}
