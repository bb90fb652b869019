"""The rules of the audits in words: what does not hold where one found something. Their sentences about the row itself are English."""

from collections.abc import Mapping
from typing import Final

from api.pages.pictures import N_

RULES: Final[Mapping[str, str]] = {
    # of the books
    "four amounts": N_("标价不等于让利加补贴加实付"),
    "budgets": N_("预算的余额与流水对不上"),
    "grants": N_("拨款与流水或公开记录对不上"),
    "subsidies": N_("补贴与欠商户的流水对不上"),
    "rebates": N_("返利与流水对不上"),
    "rebate balances": N_("返利账户的余额与流水对不上"),
    "transfers": N_("流水背后没有对应的事，或方向不对"),
    "returns": N_("退回的与原单对不上"),
    "entries": N_("公开记录与账对不上"),
    "offers": N_("优惠的签字、通过或条款对不上"),
    "visits": N_("核销不在有效的到店里"),
    "reserved": N_("订单占用的补贴与流水对不上"),
    "stock": N_("库存与进出对不上"),
    "limits": N_("限购的数与订单对不上"),
    "order states": N_("订单的状态与经过对不上"),
    "order sales": N_("订单与它的成交对不上"),
    "order lines": N_("订单的明细与购物篮对不上"),
    "return requests": N_("退货申请与处理对不上"),
    "payments": N_("付款与订单对不上"),
    "batches": N_("成批公布的合计或指纹对不上"),
    "publications": N_("商户的公布方式与公开的说法对不上"),
    "log": N_("公开台账的位置、指纹或检查点被动过"),
    "openings": N_("打开明细与批准的对不上"),
    "erasures": N_("删除资料与公开的人数对不上"),
    "posts": N_("岗位与公开的任免对不上"),
    "audiences": N_("优惠限哪些会员，与公开的承诺值对不上"),
    "texts": N_("放在记录旁边的文字与它的指纹对不上"),
    "names": N_("现在的名称与公开的名称对不上"),
    "totals": N_("公开的合计与公布的记录对不上"),
    "unmade": N_("该公布的记录还没有做成，正在重试"),
    "search": N_("查记录用的表与记录对不上"),
    "verify": N_("存着的内容读不出来"),
    # of the log
    "signature": N_("检查点的签名不成立"),
    "hashes": N_("指纹对不上：有记录或指纹被动过"),
    "consistency": N_("台账接不上以前的检查点"),
    "form": N_("记录的格式不对"),
    "ids": N_("公开编号用了两次"),
    "amounts": N_("记录里的金额对不上"),
    "publication": N_("没有按公开的方式公布"),
    "merchants": N_("停业的商户有成交"),
    "balances": N_("账户余额与记录推算的对不上"),
    "accounts": N_("用了账户表里没有的账户"),
    "keys": N_("更换密钥没有公开，或公开的不对"),
    "policy": N_("台账的章程读不了，或对不上"),
}
