using Common.Text;

namespace Common.Alerts;

/// <summary>Tells by another channel that one is out of order: <c>home: sms does not work: key refused: make a new API key ... Then: alerts test. #7F3K</c></summary>
[PureCore]
internal static class ChannelAlert
{
    public const string Kind = "channel";

    private const int ReasonLimit = 95;

    public static Alert Of(string site, RefusedLane lane, DateTimeOffset wall)
    {
        var about = $"channel/{lane.Channel}/{lane.Recipient}/{lane.Code}/{wall:yyyyMMddHHmm}";
        var id = AlertId.From($"{site}/{about}");
        var text = SmsText.Fit(
            id,
            $"{SmsText.Field(site, 12)}: {lane.Channel}{(lane.Recipient is null ? "" : " to one of you")} does not work: ",
            SmsText.Field(lane.Reason, ReasonLimit),
            ".",
            SmsPart.Optional(1, " Then: alerts test."));
        return new Alert(id, Kind, Severity.High, text, wall, about);
    }
}
