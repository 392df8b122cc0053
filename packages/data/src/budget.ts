import { readFileSync } from 'node:fs';
import { BUDGET_LEFT_OUT, type BudgetChange, type SchemaFault, type TrainingBudget, canonicalJson, schemaFault } from '@lethe/core';
import { Ajv, type ValidateFunction } from 'ajv';
import { type Size, type SuiteDefinition, suiteSchema } from './definition.js';

let compiled: ValidateFunction<BudgetChange> | undefined;

/** The compiled schema of a part of a budget, at its first use: most commands change none. */
function schema(): ValidateFunction<BudgetChange> {
  if (!compiled) {
    const { definitions } = JSON.parse(readFileSync(suiteSchema, 'utf8')) as { definitions: object };
    compiled = new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true, keywords: ['patternErrorMessage'] })
      .compile<BudgetChange>({ definitions, type: 'object', allOf: [{ $ref: '#/definitions/budget' }] });
  }
  return compiled;
}

/** What is wrong with what a budget is asked to be, and where in it (a JSON pointer); null where nothing is. */
export function budgetFault(change: unknown): SchemaFault | null {
  const validate = schema();
  return validate(change) ? null : schemaFault(validate.errors!, 'the training budget');
}

/** A budget, and where it is not the one of its suite. */
export interface ChosenBudget {
  readonly training: TrainingBudget;
  /** In the order of the budget's fields; absent where nothing differs. */
  readonly changed?: BudgetChange;
}

/** The budget of a size, with the tasks that have epochs of their own, and with what is asked for in its place. */
export function budgetOf({ training, tasks }: SuiteDefinition, { training: other = {} }: Size, asked: BudgetChange = {}): ChosenBudget {
  const own = other.epochs === undefined ? tasks.flatMap(({ id, epochs }) => (epochs === undefined ? [] : [[id, epochs] as const])) : [];
  const budget = { ...training!, ...other };
  const stated: BudgetChange = { ...BUDGET_LEFT_OUT, ...budget };
  const differs = (name: keyof BudgetChange) =>
    name in asked && ((name === 'epochs' && own.length > 0) || canonicalJson(asked[name]) !== canonicalJson(stated[name]));
  const names = (Object.keys({ ...budget, ...BUDGET_LEFT_OUT }) as (keyof BudgetChange)[]).filter(differs);
  const changed = Object.fromEntries(names.map((name) => [name, asked[name]])) as BudgetChange;
  return {
    training: { ...budget, ...changed, ...(own.length > 0 && changed.epochs === undefined && { epochsOf: Object.fromEntries(own) }) },
    ...(names.length > 0 && { changed }),
  };
}
