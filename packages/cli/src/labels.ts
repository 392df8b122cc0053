/** A method as results and configurations name it. */
interface Named {
  readonly id: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What to call each method: its id, with the options in which it differs from others of the same id. */
export function methodLabels(methods: readonly Named[]): string[] {
  return methods.map(({ id, options }) => {
    const same = methods.filter((method) => method.id === id);
    const differing = Object.entries(options).filter(([name, value]) =>
      same.some((method) => JSON.stringify(method.options[name]) !== JSON.stringify(value)));
    return [id, ...differing.map(([name, value]) => `${name}=${JSON.stringify(value)}`)].join(' ');
  });
}
