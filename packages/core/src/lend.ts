import { register } from 'node:module';

/**
 * Importing this module lets code that lies outside of this installation import what plugins are made of, in this thread, from here on:
 * the contracts and the tensor library must be the same ones that run it. What such code has installed itself comes first.
 */
register('./lent.js', import.meta.url, { data: { from: import.meta.url } });
