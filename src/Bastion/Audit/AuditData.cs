using System.Collections.Immutable;

namespace Bastion.Audit;

/// <param name="Release">The distribution's code name.</param>
/// <param name="Fixed">The first version without it.</param>
internal sealed record Advisory(string Release, string Package, string Fixed, string Holes);

/// <summary>
/// Data that ages, each with its date. Mappings say which controls a check supports; they certify nothing, and want a person's eye.
/// </summary>
internal static class AuditData
{
    public const string Version = "2026-11-21";

    /// <summary>From the distributions' own trackers: banners tell the upstream version, not what was mended in it.</summary>
    public static ImmutableArray<Advisory> Advisories { get; } =
    [
        new("bookworm", "openssh-server", "1:9.2p1-2+deb12u5", "CVE-2024-6387, CVE-2025-26465"),
        new("jammy", "openssh-server", "1:8.9p1-3ubuntu0.11", "CVE-2024-6387, CVE-2025-26465"),
        new("noble", "openssh-server", "1:9.6p1-3ubuntu13.8", "CVE-2024-6387, CVE-2025-26465"),
        new("trixie", "openssh-server", "1:10.0p1-7", "the first of the release"),
    ];

    /// <summary>CIS Debian 12, PCI DSS 4.0.1, HIPAA 45 CFR 164, SOC 2 TSC 2017, CISA CPG 1.0.1.</summary>
    public static ImmutableDictionary<string, ImmutableArray<string>> Mapping { get; } = new Dictionary<string, ImmutableArray<string>>(StringComparer.Ordinal)
    {
        ["SSH-001"] = ["CIS 5.1.9", "CIS 5.1.10", "CIS 5.1.19", "PCI 8.3.1", "HIPAA 312(d)", "SOC2 CC6.1", "CPG 2.H"],
        ["SSH-002"] = ["CIS 5.1.20", "PCI 8.2.2", "HIPAA 312(a)(2)(i)", "SOC2 CC6.1", "CPG 2.E"],
        ["SSH-003"] = ["CIS 5.1.22", "PCI 10.2.1", "HIPAA 312(b)", "SOC2 CC7.2", "CPG 2.T"],
        ["SSH-004"] = ["CIS 5.1.8", "PCI 7.2.2", "HIPAA 312(a)(1)", "SOC2 CC6.3", "CPG 2.F"],
        ["SSH-005"] = ["CIS 5.1.8", "CIS 5.1.17", "PCI 7.2.2", "HIPAA 312(a)(1)", "SOC2 CC6.3", "CPG 2.F"],
        ["SSH-006"] = ["CIS 5.1.8", "PCI 7.2.3", "HIPAA 312(a)(1)", "SOC2 CC6.3", "CPG 2.F"],
        ["SSH-007"] = ["CIS 5.1.4", "PCI 7.2.4", "PCI 8.2.5", "HIPAA 308(a)(3)", "SOC2 CC6.2", "CPG 2.D"],
        ["SSH-008"] = ["CIS 5.1.4", "PCI 8.3.2", "HIPAA 312(d)", "SOC2 CC6.1", "CPG 2.C"],
        ["SSH-009"] = ["CIS 5.1.6", "CIS 5.1.12", "CIS 5.1.15", "PCI 4.2.1", "HIPAA 312(e)(1)", "SOC2 CC6.7", "CPG 2.K"],
        ["SSH-010"] = ["CIS 5.1.1", "CIS 5.1.2", "CIS 5.1.3", "PCI 3.6.1", "HIPAA 312(e)", "SOC2 CC6.1", "CPG 2.K"],
        ["SSH-011"] = ["CIS 5.1.13", "PCI 2.2.6", "SOC2 CC6.6", "CPG 2.W"],
        ["SSH-012"] = ["CIS 5.1.16", "CIS 5.1.18", "PCI 8.3.4", "HIPAA 308(a)(5)(ii)(C)", "SOC2 CC6.6", "CPG 2.G"],
        ["SSH-013"] = ["PCI 8.3.4", "HIPAA 308(a)(5)(ii)(C)", "SOC2 CC6.6", "CPG 2.G"],
        ["SSH-014"] = ["CIS 5.1.7", "HIPAA 308(a)(7)", "SOC2 A1.2"],
        ["SSH-015"] = ["CIS 5.1.21", "PCI 2.2.4", "HIPAA 312(a)(1)", "SOC2 CC6.8", "CPG 2.W"],
        ["SSH-016"] = ["PCI 8.4.2", "HIPAA 312(d)", "SOC2 CC6.1", "CPG 2.H"],
        ["SSH-017"] = ["CIS 5.1.5"],
        ["SSH-018"] = ["CIS 5.1.1", "PCI 11.5.2", "HIPAA 312(c)(1)", "SOC2 CC8.1", "CPG 2.O"],
        ["NET-001"] = ["PCI 1.2.5", "PCI 2.2.4", "HIPAA 312(e)", "SOC2 CC6.6", "CPG 2.W"],
        ["NET-003"] = ["PCI 1.4", "SOC2 CC6.6", "CPG 2.F"],
        ["NET-004"] = ["CIS 4", "PCI 1.2.1", "SOC2 CC6.6", "CPG 2.F"],
        ["ALT-001"] = ["CIS 5.3", "PCI 10.2.1", "HIPAA 312(b)", "SOC2 CC7.2", "CPG 2.T"],
        ["ALT-002"] = ["PCI 2.2.6", "SOC2 CC6.8"],
        ["ALT-004"] = ["CIS 5.2", "PCI 10.2.1.2", "HIPAA 312(b)", "SOC2 CC7.2", "CPG 2.T"],
        ["ALT-006"] = ["PCI 10.7.2", "HIPAA 312(b)", "SOC2 CC7.2", "CPG 2.U"],
        ["LOG-001"] = ["CIS 6.1.2.1", "CIS 6.1.3.6", "PCI 10.3.3", "PCI 10.5.1", "HIPAA 312(b)", "SOC2 CC7.2", "CPG 2.T"],
        ["LOG-002"] = ["CIS 6.1.2.4", "CIS 5.1.14", "PCI 10.2.2", "HIPAA 312(b)", "SOC2 CC7.2", "CPG 2.T"],
        ["LOG-003"] = ["CIS 6.1.3", "PCI 10.7", "SOC2 CC7.2", "CPG 2.U"],
        ["TIM-001"] = ["CIS 2.3", "PCI 10.6.1", "SOC2 CC7.2"],
        ["UPD-001"] = ["CIS 1.9", "PCI 6.3.3", "HIPAA 308(a)(5)(ii)(B)", "SOC2 CC7.1", "CPG 1.E"],
        ["UPD-002"] = ["CIS 1.9", "PCI 6.3.3", "SOC2 CC7.1", "CPG 1.E"],
        ["SEC-001"] = ["PCI 8.6.2", "HIPAA 312(a)(2)(iv)", "SOC2 CC6.1", "CPG 2.L"],
        ["HKP-001"] = ["PCI 4.2.1", "HIPAA 312(e)", "SOC2 CC6.7", "CPG 2.K"],
    }.ToImmutableDictionary(StringComparer.Ordinal);
}
