package stock

import "strings"

// aisle is one category: how its shops are called, and what they sell.
type aisle struct {
	category string
	shops    []string // ends of Korean names
	english  []string // ends of English names
	goods    []good
}

type good struct {
	name        string
	least, most int // price in thousands of won
	looks       []string
}

var (
	colours = strings.Fields("아이보리 베이지 네이비 차콜 올리브 버터 와인 하늘 먹색 살구")
	sizes   = strings.Fields("S M L XL")
	packs   = strings.Split("1개|2개 세트|3개 묶음|선물 포장", "|")
	weights = strings.Fields("200g 500g 1kg 2kg")
)

// aisles are all categories.
var aisles = []aisle{
	{"living", strings.Fields("상점 살림 리빙 홈 생활"), []string{"Home", "& Linen"}, []good{
		{"양모 담요", 59, 129, colours},
		{"린넨 커튼", 42, 98, colours},
		{"면 이불 커버", 49, 119, colours},
		{"극세사 러그", 35, 140, colours},
		{"우드 트레이", 18, 46, packs},
		{"무선 스탠드 조명", 33, 89, colours},
		{"빨래 바구니", 15, 38, colours},
		{"원목 옷걸이", 12, 29, packs},
	}},
	{"kitchen", strings.Fields("부엌 그릇 키친 도자기 식탁"), []string{"Kitchen", "Ceramics"}, []good{
		{"수제 도자기 컵", 18, 45, colours},
		{"백자 면기", 22, 54, packs},
		{"무쇠 프라이팬", 39, 110, nil},
		{"유기 수저 세트", 48, 130, packs},
		{"편백 도마", 25, 65, nil},
		{"내열 유리 주전자", 21, 49, nil},
		{"옹기 항아리", 35, 160, weights},
		{"실리콘 조리 도구", 9, 32, packs},
	}},
	{"food", strings.Fields("농장 과수원 방앗간 식품 정육점 수산"), []string{"Pantry", "Roasters"}, []good{
		{"보리차 티백 50개", 9, 16, packs},
		{"제주 감귤", 15, 39, weights},
		{"해남 고구마", 12, 36, weights},
		{"국산 들기름", 14, 33, packs},
		{"전통 고추장", 11, 34, weights},
		{"핸드드립 원두", 13, 32, weights},
		{"훈제 오리", 17, 38, weights},
		{"명란젓", 19, 48, weights},
		{"수제 그래놀라", 9, 22, weights},
	}},
	{"books", strings.Fields("책방 서점 문고 책장"), []string{"Books", "Paper & Ink"}, []good{
		{"바다를 읽는 법", 14, 19, nil},
		{"등대지기의 일기", 13, 17, nil},
		{"오래된 골목의 이름", 15, 21, nil},
		{"밤의 문장들", 12, 18, nil},
		{"처음 만드는 텃밭", 16, 24, nil},
		{"고양이와 산 지 십 년", 13, 18, nil},
		{"작은 가게의 회계", 17, 28, nil},
		{"우리 동네 나무 도감", 22, 36, nil},
	}},
	{"fashion", strings.Fields("옷장 의상실 양장점 니트 데님"), []string{"Wardrobe", "Knits"}, []good{
		{"캐시미어 머플러", 45, 139, colours},
		{"울 카디건", 49, 129, colours},
		{"생지 데님 팬츠", 59, 119, sizes},
		{"오버핏 셔츠", 32, 69, colours},
		{"누빔 조끼", 29, 79, sizes},
		{"손뜨개 장갑", 14, 32, colours},
		{"양말 다섯 켤레", 9, 21, colours},
		{"코듀로이 모자", 19, 39, colours},
	}},
	{"beauty", strings.Fields("화장대 비누 약방 향수"), []string{"Soap Works", "Botanics"}, []good{
		{"쌀겨 비누", 7, 16, packs},
		{"동백 헤어 오일", 18, 39, nil},
		{"어성초 토너", 16, 33, nil},
		{"시어버터 핸드크림", 9, 24, packs},
		{"백단 향수", 42, 98, nil},
		{"녹차 클렌징 밤", 14, 28, nil},
		{"편백 입욕제", 11, 27, packs},
	}},
	{"craft", strings.Fields("공방 작업실 목공소 은방"), []string{"Workshop", "Studio"}, []good{
		{"초, 겨울 숲", 19, 39, packs},
		{"초, 밤의 항구", 19, 39, packs},
		{"황동 촛불 끄개", 28, 52, nil},
		{"은반지", 39, 160, sizes},
		{"가죽 카드 지갑", 29, 75, colours},
		{"자개 손거울", 24, 68, nil},
		{"뜨개 코스터", 8, 19, colours},
		{"매듭 팔찌", 11, 26, colours},
	}},
	{"kids", strings.Fields("장난감 아이방 그림책 놀이터"), []string{"Toys", "Little Ones"}, []good{
		{"원목 흔들말", 89, 168, nil},
		{"그림책 열 권", 79, 118, nil},
		{"블록 120조각", 34, 78, nil},
		{"천 인형", 18, 45, colours},
		{"유아 앞치마", 12, 26, colours},
		{"나무 실로폰", 22, 49, nil},
		{"목욕 놀이 세트", 14, 31, packs},
	}},
	{"plants", strings.Fields("꽃집 화원 정원 온실"), []string{"Garden", "Botanica"}, []good{
		{"몬스테라", 24, 79, sizes},
		{"올리브 나무", 39, 149, sizes},
		{"토분", 8, 36, sizes},
		{"계절 꽃다발", 32, 89, nil},
		{"수경 재배 키트", 26, 69, nil},
		{"다육이 여섯 개", 15, 29, nil},
		{"구근 모음", 13, 28, packs},
	}},
	{"pets", strings.Fields("강아지 고양이 발자국 멍냥"), []string{"Paws", "Pet Supply"}, []good{
		{"고구마 간식", 7, 19, weights},
		{"캣타워", 69, 189, nil},
		{"산책 하네스", 19, 45, sizes},
		{"북어 트릿", 8, 21, weights},
		{"숨숨집", 25, 69, colours},
		{"스크래처", 12, 34, packs},
		{"강아지 우비", 18, 39, sizes},
	}},
}

// Categories are the names of all aisles.
func Categories() []string {
	var names []string
	for _, one := range aisles {
		names = append(names, one.category)
	}
	return names
}

// begins are what names of shops begin with.
var begins = strings.Fields("온기 달빛 초록 하루 봄날 느린 바람 솔 모퉁이 다정한 푸른 작은 오늘의 새벽 윤슬 들꽃 구름 햇살 노을 담다 " +
	"고운 은하 산책 소소 여름 마루 해담 가온 늘봄 도토리 별별 한결 다온 누리 우리 파도 돌담 감나무 언덕 청보리")

// englishBegins are the same of names from elsewhere.
var englishBegins = strings.Fields("Nordlicht Juniper Harbour Maple Second Fern Lantern Clover Willow Atlas Pebble Saffron Heron Quiet Amber Thistle")
