"""An order for medicines, as the patient and the pharmacy read it."""

from backend.dispensing import Method, Option, OrderState, OrderView, RefillView
from bot.messages import Choice, Menu, Notice
from bot.wording import clip, lines

_LONGEST_SHOP = 8


def option_choice(prescription_id: str, option: Option) -> Choice:
    """Give a pharmacy to tap."""
    return Choice(f"order.at:{prescription_id}:{option.pharmacy_id}", clip(option.name, _LONGEST_SHOP))


def option_line(option: Option) -> str:
    """Say a pharmacy in one line: how far, and whether it has everything."""
    has = "药齐" if not option.missing else f"有{len(option.lines)}种，缺{len(option.missing)}种"
    far = "" if option.distance_km is None else f"{option.distance_km:.1f}公里，"
    return f"{option.name}（{far}{has}）{option.address}"


def patient_order(order: OrderView) -> str:
    """Say an order in a patient's words."""
    return lines(
        f"{order.pharmacy_name}　{order.method.label}　{order.state.label}",
        *(f"· {item.name} {item.packs}{item.unit}" for item in order.items),
        f"药店地址：{order.pharmacy_address}" if order.method is Method.PICKUP else "",
        f"送到：{order.address}" if order.method is Method.DELIVERY else "",
        f"{order.carrier} {order.tracking_number}".strip(),
        f"原因：{order.reason}" if order.reason else "",
    )


def patient_choices(order: OrderView) -> tuple[Choice, ...]:
    """Give what the patient can do with an order now."""
    if order.state in (OrderState.PLACED, OrderState.ACCEPTED):
        return (Choice(f"order.cancel:{order.id}", "不要了"),)
    fetched = order.state is OrderState.PACKED and order.method is Method.PICKUP
    if fetched or order.state is OrderState.SENT:
        return (Choice(f"order.received:{order.id}", "药收到了"),)
    if order.state in (OrderState.REFUSED, OrderState.CANCELLED):
        return (Choice(f"order.start:{order.prescription_id}", "换一家药店"),)
    return ()


def pharmacy_order(order: OrderView, title: str, notice: Notice | None = None) -> Menu:
    """Give an order to those who fill it, with what is next."""
    head = lines(
        title,
        f"取药单 {order.number}　{order.method.label}　{order.state.label}",
        f"患者：{order.patient_name}　处方 {order.prescription_number}",
        *(f"{number}. {item.text}" for number, item in enumerate(order.items, 1)),
        f"送到：{order.address}　电话 {order.phone}" if order.address else "",
    )
    return Menu(head, _pharmacy_choices(order), notice=notice)


def _pharmacy_choices(order: OrderView) -> tuple[Choice, ...]:
    refuse = Choice(f"pharmacy.refuse:{order.id}", "配不了")
    match order.state:
        case OrderState.PLACED:
            return (Choice(f"pharmacy.accept:{order.id}", "接单"), refuse)
        case OrderState.ACCEPTED:
            short = Choice(f"pharmacy.short:{order.id}", "缺药")
            return (Choice(f"pharmacy.pack:{order.id}", "已核对配好"), short, refuse)
        case OrderState.PACKED if order.method is Method.DELIVERY:
            return (Choice(f"pharmacy.send:{order.id}", "已发出"),)
        case OrderState.PACKED:
            return (Choice(f"pharmacy.handed:{order.id}", "患者已取走"),)
    return (Choice("pharmacy.queue", "取药单"),)


def refill_card(refill: RefillView, notice: Notice | None = None) -> Menu:
    """Give a request to prescribe once more to the doctor who is asked."""
    head = lines(
        "患者请求续方",
        f"患者：{refill.patient_name}",
        *(f"{number}. {text}" for number, text in enumerate(refill.medicines, 1)),
        f"近况：{refill.note}" if refill.note else "近况：没有写",
    )
    choices = (
        Choice(f"refill.agree:{refill.id}", "同意续方"),
        Choice(f"refill.decline:{refill.id}", "不续"),
        Choice(f"doctor.case:{refill.consultation_id}", "看病例"),
    )
    return Menu(head, choices, notice=notice)
