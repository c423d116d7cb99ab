import { WharfError } from '../errors.ts';

/** A template that cannot be read or carried out, in the words of Go's text/template. */
export class TemplateError extends WharfError {
  constructor(message: string) {
    super('invalid-argument', message);
    this.name = 'TemplateError';
  }
}
