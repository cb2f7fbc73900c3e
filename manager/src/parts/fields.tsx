// Controls with a label, a help text and an error, wired so that a screen reader hears all three. Every form is made of these.

import type { ComponentChildren, TargetedEvent } from 'preact';
import { useId } from 'preact/hooks';

interface FieldProps {
  readonly label: string;
  readonly help?: ComponentChildren;
  readonly error?: string | undefined;
  /** the label is for screen readers only: in tables, whose heads say it */
  readonly isBare?: boolean;
}

interface Wiring {
  readonly id: string;
  readonly 'aria-describedby'?: string;
  readonly 'aria-invalid'?: true;
}

function wiringOf(id: string, help: ComponentChildren, error: string | undefined): Wiring {
  const described = [help === undefined ? '' : `${id}-help`, error === undefined ? '' : `${id}-error`].join(' ').trim();
  return {
    id,
    ...(described === '' ? {} : { 'aria-describedby': described }),
    ...(error === undefined ? {} : { 'aria-invalid': true }),
  };
}

function Remarks({ id, help, error }: Pick<FieldProps, 'help' | 'error'> & { readonly id: string }) {
  return (
    <>
      {help !== undefined && (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
      {error !== undefined && (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </>
  );
}

function Field(props: FieldProps & { readonly children: (wiring: Wiring) => ComponentChildren }) {
  const { label, help, error, isBare = false, children } = props;
  const id = useId();
  return (
    <div class={error === undefined ? 'field' : 'field has-error'}>
      <label for={id} class={isBare ? 'visually-hidden' : undefined}>
        {label}
      </label>
      {children(wiringOf(id, help, error))}
      <Remarks id={id} help={help} error={error} />
    </div>
  );
}

interface TextProps extends FieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly isDisabled?: boolean;
  readonly placeholder?: string;
  readonly isSecret?: boolean;
  readonly isMono?: boolean;
}

export function TextField(props: TextProps) {
  const { value, onChange, isDisabled = false, placeholder = '', isSecret = false, isMono = false, ...field } = props;
  return (
    <Field {...field}>
      {(wiring) => {
        const common = {
          ...wiring,
          class: isMono ? 'mono' : '',
          value,
          disabled: isDisabled,
          placeholder,
          autocomplete: 'off',
          spellcheck: false,
          onInput: (event: TargetedEvent<HTMLInputElement>) => onChange(event.currentTarget.value),
        } as const;
        return isSecret ? <input {...common} type="password" /> : <input {...common} type="text" />;
      }}
    </Field>
  );
}

interface NumberProps extends FieldProps {
  /** text, because an empty field is no number */
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly min: number;
  readonly max: number;
  readonly unit?: string;
  readonly isDisabled?: boolean;
}

export function NumberField({ value, onChange, min, max, unit, isDisabled, ...field }: NumberProps) {
  return (
    <Field {...field}>
      {(wiring) => (
        <span class="with-unit">
          <input
            {...wiring}
            type="number"
            inputMode="numeric"
            min={min}
            max={max}
            step={1}
            value={value}
            disabled={isDisabled}
            onInput={(event) => onChange(event.currentTarget.value)}
          />
          {unit !== undefined && <span class="unit">{unit}</span>}
        </span>
      )}
    </Field>
  );
}

export interface Choice<T extends string> {
  readonly value: T;
  readonly text: string;
  readonly isDisabled?: boolean;
}

interface SelectProps<T extends string> extends FieldProps {
  readonly value: T;
  readonly choices: readonly Choice<T>[];
  readonly onChange: (value: T) => void;
  readonly isDisabled?: boolean;
}

export function SelectField<T extends string>({ value, choices, onChange, isDisabled, ...field }: SelectProps<T>) {
  const pick = (event: TargetedEvent<HTMLSelectElement>) => {
    const choice = choices[event.currentTarget.selectedIndex];
    if (choice !== undefined) onChange(choice.value);
  };
  return (
    <Field {...field}>
      {(wiring) => (
        <select {...wiring} value={value} disabled={isDisabled} onChange={pick}>
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value} disabled={choice.isDisabled}>
              {choice.text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface ToggleProps {
  readonly label: string;
  readonly help?: string;
  readonly error?: string | undefined;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
  readonly isDisabled?: boolean;
}

export function Toggle({ label, help, error, isOn, onChange, isDisabled }: ToggleProps) {
  const id = useId();
  return (
    <div class={error === undefined ? 'field toggle' : 'field toggle has-error'}>
      <input
        {...wiringOf(id, help, error)}
        type="checkbox"
        role="switch"
        aria-checked={isOn}
        checked={isOn}
        disabled={isDisabled}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      <Remarks id={id} help={help} error={error} />
    </div>
  );
}
