using Common.Time;
using InternalHost.Tunnel;

namespace InternalHost.Tests.Tunnel;

public sealed class ForwardBookTests
{
    private static readonly Instant Now = new(TimeSpan.FromHours(1).Ticks);
    private static readonly RemoteForward Home = new("home", 22000, "127.0.0.1:22");
    private static readonly RemoteForward Nas = new("nas", 22001, "192.168.1.5:443");

    [Fact]
    public void Each_forward_is_asked_for_once_in_order()
    {
        var book = ForwardBook.Empty.Want([Home, Nas], Now);

        Assert.Equal(Home, book.Due(Now)?.Forward);
        book = book.Answered(Home, null, Now);
        Assert.Equal(Nas, book.Due(Now)?.Forward);
        book = book.Answered(Nas, null, Now);
        Assert.Null(book.Due(Now + TimeSpan.FromDays(1)));
        Assert.Equal(Instant.Never, book.NextDue);
    }

    [Fact]
    public void Busy_port_is_asked_for_again_soon_and_then_less_often()
    {
        var book = ForwardBook.Empty.Want([Home], Now);
        var pauses = new List<double>();
        for (var i = 0; i < 6; i++)
        {
            book = book.Answered(Home, TunnelReason.ForwardBusy, Now);
            pauses.Add((book.NextDue - Now).TotalSeconds);
        }

        Assert.Equal([0.2, 0.5, 1, 2, 5, 5], pauses);
    }

    [Fact]
    public void Port_that_is_not_permitted_waits_a_minute_and_another_is_not_held_up()
    {
        var book = ForwardBook.Empty.Want([Home, Nas], Now).Answered(Home, TunnelReason.ForwardNotPermitted, Now);

        Assert.Equal(Nas, book.Due(Now)?.Forward);
        Assert.Equal(Now + TimeSpan.FromSeconds(60), book.Answered(Nas, null, Now).NextDue);
    }

    [Fact]
    public void Reload_keeps_what_stays_cancels_what_goes_and_asks_for_what_is_new()
    {
        var changed = Nas with { Target = "192.168.1.6:443" };
        var book = ForwardBook.Empty.Want([Home, Nas], Now).Answered(Home, null, Now).Answered(Nas, null, Now);

        book = book.Want([Home, changed], Now);

        Assert.Equal([Nas], book.ToCancel);
        Assert.Equal(changed, book.Due(Now)?.Forward);
        Assert.Equal(ForwardState.Listening, book.Entries[0].State);
        Assert.Empty(book.Cancelled(Nas).ToCancel);
    }

    [Fact]
    public void Forward_that_was_refused_has_nothing_to_cancel() =>
        Assert.Empty(ForwardBook.Empty.Want([Home], Now).Answered(Home, TunnelReason.ForwardBusy, Now).Want([], Now).ToCancel);

    [Fact]
    public void Forward_granted_after_it_was_dropped_is_cancelled() =>
        Assert.Equal([Home], ForwardBook.Empty.Want([Home], Now).Want([], Now).Answered(Home, null, Now).ToCancel);

    [Fact]
    public void Forward_wanted_again_before_its_cancel_is_not_cancelled()
    {
        var book = ForwardBook.Empty.Want([Home], Now).Answered(Home, null, Now).Want([], Now);

        Assert.Empty(book.Want([Home], Now).ToCancel);
    }
}
