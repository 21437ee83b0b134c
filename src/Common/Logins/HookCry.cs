namespace Common.Logins;

/// <summary>The hook's last resort, by logger, when its spool takes nothing more: <c>bastion-hook: not spooled: monitor 123</c>.</summary>
[PureCore]
internal static class HookCry
{
    public const string Name = "bastion-hook";

    /// <summary>Null: it is not that.</summary>
    public static SshdMessage.NotSpooled? Parse(string? tag, string message)
    {
        var scan = new TextScan(message);
        return tag == Name && scan.Literal("not spooled: monitor ") && scan.Number(out var process) && scan.AtEnd && process <= int.MaxValue
            ? new SshdMessage.NotSpooled((int)process)
            : null;
    }
}
