"""Names of synthetic people, ordinary ones and those that break systems.

Minority names carry a middle dot; a few names hold private-use or CJK Extension B characters, as
the real registers do. INVARIANT: the public security register spells the dot U+00B7; other
departments may not.
"""

from typing import Final

from adapters.simulators.population.draw import Draws

DOT: Final = "\u00b7"
"""The middle dot of GB 18030 and of the population register."""

DOT_VARIANTS: Final = ("\u00b7", "\u2022", "\u2027", "\u30fb", "\uff0e")
"""Code points found in practice for the same dot."""

_SURNAMES: Final = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
    "苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史"
    "顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_GIVEN: Final = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国玉兰梅红兵云飞鹏辉波宁健俊"
    "帆琳雪倩慧颖莹欣佳怡宇浩然博文轩子涵晨曦瑞祥福禄寿康安泰和顺昌盛荣富贵德仁义礼智信"
    "春夏秋冬海山河川松柏竹菊荷莲蕾薇岚峰岭岩溪泉源清澜润泽沛霖雯霄翔翰墨砚琴棋书画诗词"
    "凯旋胜利民族团结爱军庆东西南北中兴邦振业守成立志远达鸿图宏亮光耀辰星朗月昭晖旭昊晟"
)
_TURKIC_FIRST: Final = ("阿卜杜", "买买提", "古丽娜尔", "阿依古丽", "艾尼瓦尔", "热依汗", "吐尔逊")
_TURKIC_SECOND: Final = ("热西提", "艾合买提", "吾买尔", "依明", "卡德尔", "玉素甫", "司马义")
_PRIVATE_USE: Final = "\ue81a\ue82f\ue864\ue13b"
_EXTENSION_B: Final = "\U00020bb7\U00021a1c\U000247d6\U00028189"

# Homophones and look-alikes that clerks exchange: the name variants departments disagree about.
VARIANTS: Final = {
    "伟": "玮",
    "芳": "方",
    "静": "婧",
    "丽": "莉",
    "明": "铭",
    "英": "瑛",
    "红": "虹",
}


def surname(draws: Draws) -> str:
    """Draw a family name."""
    return draws.pick("surname", _SURNAMES)


def given_name(draws: Draws) -> str:
    """Draw one or, nine times in ten, two characters; rare ones in one name of five hundred."""
    first = draws.pick("given/1", _GIVEN)
    # Private-use and Extension B characters break what assumes two octets per character.
    if draws.chance("given/rare", per_mille=2):
        return first + draws.pick("given/which", _PRIVATE_USE + _EXTENSION_B)
    if draws.chance("given/single", per_mille=100):
        return first
    return first + draws.pick("given/2", _GIVEN)


def minority_name(draws: Draws) -> str:
    """Draw a name with a middle dot."""
    return (
        f"{draws.pick('minority/1', _TURKIC_FIRST)}{DOT}{draws.pick('minority/2', _TURKIC_SECOND)}"
    )


def with_dot(name: str, dot: str) -> str:
    """Spell the middle dot of a name with another code point."""
    return name.replace(DOT, dot)


def variant_of(name: str) -> str:
    """Misspell a name as a clerk would: a homophone, else another last character."""
    for character, homophone in VARIANTS.items():
        # The family name is seldom misspelt, and never first.
        if character in name[1:]:
            return name[0] + name[1:].replace(character, homophone, 1)
    last = "玥" if name[-1] != "玥" else "悦"
    return name[:-1] + last


def former_name(draws: Draws, name: str) -> str:
    """Name a person as in childhood."""
    return name[0] + draws.pick("former", "铁钢栓柱妮丫") + "儿"
