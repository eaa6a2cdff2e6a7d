"""Which skeletons fit a study, and which findings cannot wait there. Pure functions over the reference data."""

from collections.abc import Collection

from data.reporting import CriticalFinding, ReportTemplate, critical_findings, report_templates


def templates_for(modalities: Collection[str], description: str, sex: str) -> list[ReportTemplate]:
    """Give the skeletons for a study; those that its description suggests come first.

    Args:
        modalities: DICOM's codes. description: of the study. sex: of the patient, male, female or unknown.
    """
    told = description.lower()
    fitting = [
        one
        for one in report_templates()
        if set(one.modalities) & set(modalities)
        and (one.sex == "all" or sex not in ("male", "female") or one.sex == sex)
    ]
    return sorted(fitting, key=lambda one: not any(region in told for region in one.regions))


def critical_findings_for(modalities: Collection[str]) -> list[CriticalFinding]:
    """Give the findings that cannot wait and can be seen in a study of these modalities."""
    return [one for one in critical_findings() if set(one.modalities) & set(modalities)]
