using System.Globalization;

namespace Lab.Demo;

/// <summary>Seconds on the timeline; null: it did not come to that.</summary>
internal sealed class Moments
{
    public double? Cut { get; set; }

    public double? Down { get; set; }

    public double? StartCall { get; set; }

    public double? Booted { get; set; }

    public double? Verified { get; set; }

    public double? Told { get; set; }

    public double? Login { get; set; }

    public double? LoginTold { get; set; }

    public double? Restored { get; set; }

    public double? Up { get; set; }

    public double? Stopped { get; set; }

    public (long Up, long Down)? Bytes { get; set; }
}

/// <summary>The table at the end.</summary>
internal static class Summary
{
    public static void Print(IReadOnlyList<StepResult> steps, Moments m)
    {
        Console.WriteLine();
        foreach (var step in steps)
        {
            var seconds = step.Seconds is { } s ? string.Create(CultureInfo.InvariantCulture, $"{s,6:F1} s") : "       -";
            Console.WriteLine($"  {(step.Ok ? "ok    " : "FAILED")}  {step.Name,-20} {seconds}  {step.Why}");
        }

        Console.WriteLine();
        Span("primary cut -> verdict Down", m.Cut, m.Down);
        Span("verdict -> start call", m.Down, m.StartCall);
        Span("start call -> VM's sshd listens", m.StartCall, m.Booted);
        Span("VM's sshd listens -> tunnel verified", m.Booted, m.Verified);
        Span("primary cut -> owner's SMS at the gateway", m.Cut, m.Told);
        Span("login -> its SMS at the gateway", m.Login, m.LoginTold);
        Span("primary restored -> verdict Up", m.Restored, m.Up);
        Span("verdict Up -> VM stopped", m.Up, m.Stopped);
        if (m.Bytes is var (up, down))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {"bytes over the backup",-45} {up / 1000.0,8:F1} kB up, {down / 1000.0:F1} kB down"));
        }

        Console.WriteLine();
    }

    private static void Span(string what, double? from, double? to)
    {
        if (to - from is { } span)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {what,-45} {span,8:F2} s"));
        }
    }
}
