"""What activating a role asks for, as small marks on its row; and which proof is still missing."""

from __future__ import annotations

from dataclasses import dataclass

from openpim.core.policy import Policy, Requirement
from openpim.core.refusals import Code, Refusal
from openpim.faces.portal.call import Call, Verify
from openpim.faces.portal.words import span, t

_WORDS = (
    (Requirement.JUSTIFICATION, "Justification", "A reason must be given"),
    (Requirement.TICKETING, "Ticket", "A ticket number and system must be given"),
    (Requirement.MFA, "MFA", "A second factor must have been given at sign-in"),
)


@dataclass(frozen=True, slots=True)
class Mark:
    label: str
    title: str
    tone: str = ""


def marks(policy: Policy) -> tuple[Mark, ...]:
    """Approval first: it is what takes time."""
    found = []
    if policy.approval.required:
        found.append(Mark(t("Approval"), t("Somebody must approve the activation"), "wait"))
    found += [
        Mark(t(label), t(title))
        for requirement, label, title in _WORDS
        if requirement in policy.activation_requires
    ]
    if policy.context_enabled and policy.context:
        title = t("The sign-in must satisfy the authentication context {context}", context=policy.context)
        found.append(Mark(policy.context, title))
    return tuple(found)


def longest(policy: Policy) -> int:
    """The longest activation, in minutes; a day where there is no limit."""
    maximum = policy.activation.maximum
    if not policy.activation.required or maximum is None:
        return 24 * 60
    return max(1, (maximum.seconds + maximum.months * 30 * 86_400) // 60)


def longest_words(policy: Policy) -> str:
    return span(longest(policy) * 60)


def proof_missing(call: Call, policy: Policy) -> bool:
    """Whether the sign-in would have to be made stronger for this policy."""
    mfa = Requirement.MFA in policy.activation_requires and not call.caller.has_mfa
    context = policy.context if policy.context_enabled else None
    return mfa or (context is not None and context not in call.caller.acrs)


def proof_needed(call: Call, refusal: Refusal, back: str) -> Verify | None:
    """The step-up that would lift this refusal, if that is all that is wrong and it has not been tried just now.

    back: the page where the form was typed.
    """
    mfa = refusal.code is Code.POLICY and refusal.rules == ("MfaRule",)
    if not mfa and refusal.code is not Code.STEP_UP:
        return None
    wanted = refusal.detail or "mfa"
    tried = call.form.get("verified", "").split()
    if wanted in tried:
        wanted = "mfa"
    return None if wanted in tried else Verify(back, "" if wanted == "mfa" else wanted)
