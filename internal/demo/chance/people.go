package chance

import (
	"fmt"
	"strings"
)

// Surnames are as frequent as in Korea; a weight is in thousandths.
var surnames = []struct {
	name   string
	weight int
}{
	{"김", 215},
	{"이", 147},
	{"박", 84},
	{"최", 47},
	{"정", 43},
	{"강", 24},
	{"조", 21},
	{"윤", 20},
	{"장", 20},
	{"임", 17},
	{"한", 15},
	{"오", 15},
	{"서", 15},
	{"신", 15},
	{"권", 14},
	{"황", 14},
	{"안", 14},
	{"송", 14},
	{"전", 11},
	{"홍", 11},
	{"유", 10},
	{"고", 9},
	{"문", 9},
	{"양", 9},
	{"손", 9},
	{"배", 8},
	{"백", 7},
	{"허", 7},
	{"남", 6},
	{"심", 5},
	{"노", 5},
	{"하", 5},
}

var givenNames = strings.Fields("서연 민준 지우 서준 하은 도윤 예은 시우 지민 주원 수아 하준 지유 지호 다은 준서 채원 현우 소율 지훈 예린 건우 " +
	"윤서 우진 은지 선우 유진 민재 가은 현준 수빈 연우 나은 정우 지안 승현 민서 준혁 하린 은우 소연 시윤 지원 승우 유나 재윤 아린 태윤 보람 동현 " +
	"혜진 성민 미경 영호 정희 상훈 은영 재호 경숙 병철 영숙 종수 미란 광수 슬기 한별 새롬 초롱 가람 다솜")

var firstNames = strings.Fields("Mia Jonas Frieda Oliver Priya Liam Emma Noah Ava Lucas Hannah Felix Clara Arthur Nora Theo Ida Hugo Alice " +
	"Samuel Ruth Daniel Grace Omar Leila Mateo Sofia Kenji Yuki Anya Pavel Chloe Marco Elena Tomas Greta")

var lastNames = strings.Fields("Lindqvist Hansen Brandt Raman Murphy Weber Rossi Novak Silva Tanaka Schmidt Larsen Moreau Kowalski Evans " +
	"Fischer Costa Andersson Jensen Walker Ortiz Becker Petit Hughes Meyer Sato Bennett Keller Dubois Ward")

// Korean is a Korean name.
func (d Dice) Korean() string {
	sum := 0
	for _, one := range surnames {
		sum += one.weight
	}
	at := d.IntN(sum)
	for _, one := range surnames {
		if at -= one.weight; at < 0 {
			return one.name + Pick(d, givenNames)
		}
	}
	return surnames[0].name + Pick(d, givenNames)
}

// English is a name from elsewhere.
func (d Dice) English() string { return Pick(d, firstNames) + " " + Pick(d, lastNames) }

// Person is a name, of seven out of eight people Korean.
func (d Dice) Person() string {
	if d.In(8) {
		return d.English()
	}
	return d.Korean()
}

var handles = strings.Fields("haneul coffee moon bluebird jeju namu olive sunny dotori mandu gureum bada byul cloud pepper maple soda river " +
	"pine jazz momo hodu latte green snow marble kiwi toast lemon harbor")

// Mail is an address that reaches nobody.
func (d Dice) Mail() string {
	return fmt.Sprintf("%s.%s%d@mail.example", Pick(d, handles), Pick(d, handles), d.Between(1, 99))
}

// cities are as large as in Korea, about.
var cities = []struct {
	name   string
	weight int
}{
	{"서울", 94},
	{"부산", 33},
	{"인천", 30},
	{"대구", 24},
	{"대전", 14},
	{"광주", 14},
	{"수원", 12},
	{"울산", 11},
	{"고양", 10},
	{"용인", 10},
	{"창원", 10},
	{"성남", 9},
	{"청주", 8},
	{"전주", 6},
	{"천안", 6},
	{"제주", 5},
	{"포항", 5},
	{"춘천", 3},
	{"강릉", 2},
	{"여수", 2},
	{"안동", 2},
}

// City is one in Korea.
func (d Dice) City() string {
	sum := 0
	for _, one := range cities {
		sum += one.weight
	}
	at := d.IntN(sum)
	for _, one := range cities {
		if at -= one.weight; at < 0 {
			return one.name
		}
	}
	return cities[0].name
}
