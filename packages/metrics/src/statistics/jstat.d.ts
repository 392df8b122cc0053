/** The part of jStat that is used; the package brings no types. */
declare module 'jstat' {
  const library: {
    readonly jStat: {
      readonly studentt: { inv(probability: number, degrees: number): number; cdf(value: number, degrees: number): number };
      readonly noncentralt: { cdf(value: number, degrees: number, noncentrality: number): number };
      readonly normal: { inv(probability: number, mean: number, deviation: number): number; cdf(value: number, mean: number, deviation: number): number };
    };
  };
  export default library;
}
