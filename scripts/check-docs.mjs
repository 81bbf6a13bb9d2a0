/**
 * Fails where the API reference would lack something: a public symbol or field without a word, a public type that names one which is not
 * exported, a link that leads nowhere. Fields of types that are written in place are left out, since the field that has the type says it, and
 * those of computed types (`Pick` and the like), which have no place of their own.
 */

import { Application, LogLevel, TSConfigReader, TypeDocReader } from 'typedoc';

const application = await Application.bootstrapWithPlugins(
  { validation: { notExported: true, invalidLink: true, notDocumented: true, rewrittenLink: true } },
  [new TypeDocReader(), new TSConfigReader()],
);
const complaints = [];
application.logger.addContext = (message) => message;
application.logger.log = (message, level) => {
  const elsewhere = /\.__\w+\.[^(]*\(Property\)|\(Property\), defined in rebasin\/,/.test(message);
  if (level >= LogLevel.Warn && !elsewhere) complaints.push(message);
};
const project = await application.convert();
if (project) application.validate(project);
else complaints.push('typedoc: the sources do not compile; see npm run check:types');
for (const complaint of complaints) console.error(complaint);
if (complaints.length > 0) {
  console.error(
    `check-docs: ${complaints.length} complaints; write a docstring, or export the type from the entry`,
  );
  process.exitCode = 1;
}
